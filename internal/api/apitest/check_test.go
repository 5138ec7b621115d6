package apitest

import (
	"net/http"
	"strings"
	"testing"
)

func TestAChecksComplaintSaysWhatIsThere(t *testing.T) {
	r := reply{201, http.Header{"Etag": {`"1"`}}, `{"name": "ci", "list": [1, 2], "none": null}`}
	for line, want := range map[string]string{
		`code == 201`:               "",
		`code == 200`:               "code is 201, want == 200",
		`code != 201`:               "code is 201",
		`header ETag == "1"`:        "",
		`header ETag == "2"`:        "header ETag is",
		`header Allow == GET`:       "there is no header Allow",
		`absent header ETag`:        "header ETag is there",
		`json .name == "ci"`:        "",
		`json .name == "cd"`:        `json .name is "ci", want == "cd"`,
		`json .name matches ^c.$`:   "",
		`json .name matches ^x`:     "json .name is",
		`json .name contains "x"`:   "json .name is",
		`json .list contains 2`:     "",
		`json .list contains 3`:     "json .list is [1,2]",
		`json .list length 3`:       "json .list is [1,2]",
		`json .list.2 == 3`:         "there is no json .list.2",
		`json .none == null`:        "",
		`absent .none`:              "json .none is there",
		`absent .more`:              "",
		`json .name == "{unknown}"`: "{unknown} is not set",
		`body == x`:                 "body is",
	} {
		t.Run(line, func(t *testing.T) {
			c, err := parseCheck(line)
			if err != nil {
				t.Fatal(err)
			}
			err = c.run(r, map[string]string{})
			if want == "" && err != nil {
				t.Errorf("run = %v, want nothing", err)
			}
			if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("run = %v, want %q", err, want)
			}
		})
	}
}

func TestATranscriptThatCannotBeReadSaysWhere(t *testing.T) {
	for text, want := range map[string]string{
		"GET /x\n":                            "line 1: a case begins with a sentence",
		"# A case.\n\ncode == 200\n":          "line 3: there is no request",
		"# A case.\nGET /x\n\nstatus is ok\n": "line 4: this is neither a request nor a check: status is ok",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse(%q) = %v, want %q", text, err, want)
		}
	}
}
