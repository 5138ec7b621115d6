package server_test

import (
	"fmt"
	"regexp"
	"strings"

	"keyward"
)

// perform does all that can be done on the dialects, as a key and as a person who signs
// in, and remembers every secret that is given out.
func (b *bird) perform() {
	b.t.Helper()
	var most []keyward.Permission
	for _, p := range keyPermissions() {
		if p != keyward.KeysReveal {
			most = append(most, p)
		}
	}
	b.add("everybody's password", passphrase)
	b.signed = b.person(b.t, nil, keyward.Owner)
	b.strong = b.holding(b.t, "a strong key", b.manager(b.t, b.o, most...))
	b.strong.session = b.signed.session
	for name, text := range map[string]string{
		"a person's credential": b.signed.made.Secret, "a session": b.signed.session,
		"a strong key": b.strong.secret, "its token": b.strong.token, "its vendor's token": b.strong.vendor,
	} {
		b.add(name, text)
	}
	for _, s := range dialects() {
		for _, route := range s.kinds() {
			b.performOne(s, askings(route)[0])
		}
	}
	b.signInAndOut()
}

// performOne asks as the key, and where people are let in as a person.
func (b *bird) performOne(s surface, a asking) {
	b.t.Helper()
	for _, header := range [][]string{s.present(b.strong), s.present(credential{session: b.signed.session})} {
		if header == nil || a.method == "GET" {
			continue
		}
		v := b.freshValues(b.t, b.o, a)
		if v["secret"] != "" {
			b.given.add("a fresh key", v["secret"])
		}
		if strings.HasSuffix(a.path, "/oauth/token") {
			header = nil
		}
		if s.name == "rebilly" {
			header = append(header, "Organization-Id", b.o.org.ID)
		}
		b.remember(a.pattern, b.send(b.t, a, v, header))
	}
}

// given is what answers give out.
var given = regexp.MustCompile(`"(secretKey|apiKey|clientSecret|access_token|token)":"([^"…]{32,})"`)

// remember looks for the secrets that are known before, and keeps what is new.
func (b *bird) remember(at string, got answer) {
	b.t.Helper()
	found := given.FindAllStringSubmatch(got.body, -1)
	b.quiet(at, answer{status: got.status, header: got.header, body: given.ReplaceAllString(got.body, "")})
	for _, one := range found {
		b.given.add(fmt.Sprintf("the %s that %s gave out", one[1], at), one[2])
	}
}

// signInAndOut signs in well, wrongly, and with what is no password.
func (b *bird) signInAndOut() {
	b.t.Helper()
	const wrong = "a-wrong-password-that-sings-0123456789"
	b.add("a wrong password", wrong)
	session := b.signIn(b.t, b.signed.email)
	b.add("a session that ends", session)
	b.quiet("logout", b.as(b.t, session, "POST", "/rebilly/logout", ""))
	b.quiet("logout again", b.as(b.t, session, "POST", "/rebilly/logout", ""))
	for _, attempt := range []string{
		`{"email":"{email}","password":"{wrong}"}`, `{"email":"nobody@example.com","password":"{wrong}"}`, `{"email":"{wrong}","password":"x"}`,
		`{"email":"{email}","password":"{wrong}","oneTimePassword":"{wrong}"}`, `{"email":"{email}","password":"{wrong}","expiredTime":"{wrong}"}`,
		`{"email":"{email}","password":{"{wrong}":1}}`, `{"email":"{email}","password":["{wrong}"]}`, `{"password":"{wrong}"`,
		`{"email":"{email}","password":"{wrong}\u0000"}`, `{"email":"{email}","password":"` + passphrase + `","expiredTime":"2020-01-01T00:00:00Z"}`,
	} {
		body := values{"email": b.signed.email, "wrong": wrong}.fill(attempt)
		for _, header := range [][]string{nil, bearer(wrong), {"Host", "rebilly.localhost"}} {
			path := "/rebilly/signin"
			if len(header) > 0 && header[0] == "Host" {
				path = "/signin"
			}
			b.quiet("sign-in", b.ask(b.t, "POST", path, body, header...))
		}
	}
	person := "/v1/operators/" + b.signed.made.Operator.ID
	b.quiet("the person", b.as(b.t, b.RootToken, "GET", person, ""))
	b.quiet("no new password", b.as(b.t, b.RootToken, "PATCH", person, `{"password":"`+wrong+`","role":"nobody"}`))
	b.quiet("another password", b.as(b.t, b.RootToken, "PATCH", person, `{"password":"`+wrong+`"}`))
}
