package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyward/keywardtest"
)

// certified writes a certificate for 127.0.0.1 and its key to files.
func certified(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key, pool = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), x509.NewCertPool()
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return cert, key, pool
}

func TestTheListenerForVerificationSpeaksTLS(t *testing.T) {
	cert, key, pool := certified(t)
	kw := keywardtest.Start(t, keywardtest.Options{VerifyListen: "127.0.0.1:0", TLSCert: cert, TLSKey: key})
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	for base, want := range map[string]string{kw.URL: "HTTP/2.0", kw.VerifyURL: "HTTP/1.1"} {
		if !strings.HasPrefix(base, "https://") {
			t.Errorf("%q is no https URL", base)
		}
		for name, body := range map[string]io.Reader{
			"plain": strings.NewReader(`{"key":"x"}`), "chunked": io.MultiReader(strings.NewReader(`{"key":"x"}`)), "escaped": strings.NewReader(`{"key":"\u0061"}`),
		} {
			r, err := http.NewRequestWithContext(t.Context(), "POST", base+"/v1/verify", body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+kw.RootToken)
			r.Header.Set("Content-Type", "application/json")
			response, err := transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.Proto != want || string(text) != `{"valid":false,"code":"not_found"}` {
				t.Errorf("%s at %s: %s %s", name, base, response.Proto, text)
			}
		}
	}
}
