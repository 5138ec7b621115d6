package bench

import "context"

// The names of rows that goals refer to.
const (
	bareNetHTTP  = "bare net/http"
	plainVerify  = "verify"
	fullVerify   = "verify, everything on"
	batchVerify  = "verify, batches of 100"
	bareFastHTTP = "bare fasthttp"
	fastVerify   = "verify, --verify-listen"
	fastFull     = "verify, everything on, --verify-listen"
	staticNginx  = "nginx, static map"
)

const verifyListen = "--verify-listen"

// http compares servers on TCP.
func (b *bench) http(ctx context.Context) error {
	w, err := b.usualWorld(ctx)
	if err != nil {
		return err
	}
	fast, err := freeAddress()
	if err != nil {
		return err
	}
	s, err := b.keyward(ctx, w.Dir, verifyListen, fast)
	if err != nil {
		return err
	}
	defer s.stop()
	plain := b.load(s, w.plain())
	size, err := b.answerSize(ctx, plain)
	if err != nil {
		return err
	}
	slow, err := b.bare(ctx, Bare{Kind: netHTTP, crowd: w.crowd, AnswerSize: size})
	if err != nil {
		return err
	}
	defer slow.stop()
	quick, err := b.bare(ctx, Bare{Kind: fastHTTP, crowd: w.crowd, AnswerSize: size})
	if err != nil {
		return err
	}
	defer quick.stop()
	full, err := w.full(ctx, s)
	if err != nil {
		return err
	}
	listener := &running{s.process, "tcp", fast}
	contenders := []contender{
		{name: bareNetHTTP, server: slow.process, load: b.load(slow, plain.requests)},
		{name: plainVerify, server: s.process, load: plain},
		{name: fullVerify, server: s.process, load: b.load(s, full)},
		{name: batchVerify, server: s.process, load: b.load(s, w.batches()), questions: 100},
		{name: bareFastHTTP, server: quick.process, load: b.load(quick, plain.requests)},
		{name: fastVerify, server: s.process, load: b.load(listener, plain.requests)},
		{name: fastFull, server: s.process, load: b.load(listener, full)},
	}
	proxy, note := b.nginx(ctx, w, size)
	if proxy == nil {
		contenders = append(contenders, contender{name: staticNginx, note: note})
	} else {
		defer proxy.stop()
		contenders = append(contenders, contender{name: staticNginx, server: proxy.process, load: b.load(proxy, forNginx(plain.requests))})
	}
	return b.contest(ctx, "http", w.Size, contenders)
}

// socket compares servers on UNIX sockets.
func (b *bench) socket(ctx context.Context) error {
	w, err := b.usualWorld(ctx)
	if err != nil {
		return err
	}
	s, err := b.keyward(ctx, w.Dir, verifyListen, "unix:"+b.path("verify.sock"))
	if err != nil {
		return err
	}
	defer s.stop()
	listener := &running{s.process, "unix", b.path("verify.sock")}
	plain := b.load(listener, w.plain())
	size, err := b.answerSize(ctx, plain)
	if err != nil {
		return err
	}
	quick, err := b.bare(ctx, Bare{Kind: fastHTTP, Network: "unix", Address: b.path("bare.sock"), crowd: w.crowd, AnswerSize: size})
	if err != nil {
		return err
	}
	defer quick.stop()
	return b.contest(ctx, "socket", w.Size, []contender{
		{name: bareFastHTTP, server: quick.process, load: b.load(quick, plain.requests)},
		{name: fastVerify, server: s.process, load: plain},
	})
}
