package gjirafa

import (
	"net/http"
	"strconv"
	"testing"

	"keyward/internal/api"
)

// Whatever the path holds, a number that is let pass is the one that was written: none
// wraps, and no two spellings are the same key.
func FuzzNumber(f *testing.F) {
	for _, text := range []string{"0", "412", "-1", "2147483647", "2147483648", "4294967708", "-2147483648", "01", "+1", "1e3", "0x1", "\u0663", "", " 1", "1_0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := &http.Request{}
		r.SetPathValue("id", text)
		number, err := numberIn(&api.Call{Request: r})
		if err == nil && strconv.Itoa(int(number)) != text {
			t.Errorf("%q is taken for %d", text, number)
		}
		if canonical, bad := strconv.ParseInt(text, 10, 32); err != nil && bad == nil && strconv.Itoa(int(canonical)) == text {
			t.Errorf("%q is refused: %v", text, err)
		}
	})
}

// Whatever the headers hold, what is let pass is one credential, which stands in each of
// them whole.
func FuzzCredential(f *testing.F) {
	for _, seed := range [][2]string{
		{"Bearer x", ""}, {"x", "x"}, {"ApiKey x", "x"}, {"bearer eyJ.a.b", "y"}, {"Basic x", ""}, {"", "x"}, {"Bearer", "Bearer"}, {"Bearer  x", " x"}, {"APIKEY ", ""}, {"x y", "x y"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, authorization, key string) {
		header := http.Header{}
		for name, text := range map[string]string{"Authorization": authorization, "X-Api-Key": key} {
			if text != "" {
				header.Set(name, text)
			}
		}
		got, err := readCredential(header)
		if err != nil {
			return
		}
		if key != "" && got.text != key {
			t.Errorf("%q: x-api-key is not what counts, but %q", header, got.text)
		}
		if authorization != "" && got.text != authorization && "Bearer "+got.text != "Bearer"+authorization[min(6, len(authorization)):] &&
			"ApiKey "+got.text != "ApiKey"+authorization[min(6, len(authorization)):] {
			t.Errorf("%q: Authorization does not hold %q", header, got.text)
		}
		if got.token && key != "" && authorization == "" {
			t.Errorf("%q: x-api-key holds a token", header)
		}
	})
}
