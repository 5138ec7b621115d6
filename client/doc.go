// Package client talks to a Keyward server over its native API, from Go.
//
//	token := keyward.ForeignSecret(os.Getenv("KEYWARD_TOKEN"))
//	kw, err := client.New("https://keys.example.com", token)
//
// A service that has to decide whether a request may pass asks [Client.Verify]. The
// answer is a [Verdict]; an error means that there is none, and a service that got
// no answer lets nobody in.
//
//	verdict, err := kw.Verify(ctx, client.Question{
//		Key:         keyward.ForeignSecret(presented),
//		Environment: keyward.Live,
//		Permissions: []string{"docs.read"},
//	})
//	if err != nil || !verdict.Valid {
//		// 401, 403 or 503
//	}
//
// For services on net/http, [Guard] does that as middleware: it takes the key from the
// request, asks, and answers 401, 403, 429 or 503 where nobody may pass.
//
// Whoever hands out keys uses [Client.CreateKey], [Client.RotateKey] and
// [Client.RevokeKey]. The first two return the new secret, which cannot be had a
// second time; it is a [keyward.Secret], so it does not end up in a log.
//
// What the server refused is an [*Error], with the request's id and the members that
// are wrong. [keyward.CodeOf] tells kinds of error apart, those included where no
// server answered:
//
//	switch keyward.CodeOf(err) {
//	case keyward.NotFound:    // no such key, or not ours
//	case keyward.Unavailable: // nobody answers; later, perhaps
//	}
//
// A request that found no server, or one that says it cannot answer yet (503), is
// sent again, a few times, as [Client.Attempts] says. Every POST that changes
// something carries an Idempotency-Key of its own, so that it is carried out once
// even if the answer to the first attempt was lost. Calling a method twice makes two
// changes.
//
// Lists come as iterators that fetch page after page, see [Client.Keys].
//
// The package is not for checking keys without a server, nor for the foreign APIs
// that Keyward speaks: their own clients do that.
package client
