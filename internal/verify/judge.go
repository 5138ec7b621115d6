package verify

import "keyward"

// judge decides about the subject in v, and spends what it costs if the answer is Valid.
// Deciding and spending is one step for all who use the same key: nothing is spent that
// was not there, and nothing at all unless everything is.
func (e *Engine) judge(by *keyward.Actor, org keyward.Standing, end keyward.Time, m *meter, q *keyward.Request, now keyward.Time, v *Verdict) {
	if m == nil {
		decide(by, org, end, q, keyward.Unlimited, now, v)
		return
	}
	m = m.lock()
	defer m.mu.Unlock()
	quote := m.quote(q.Cost, now)
	decide(by, org, end, q, quote.Budget, now, v)
	switch {
	case v.Reason == keyward.Unknown:
		return
	case v.Reason == keyward.Valid && !q.DryRun && quote.pending:
		v.Reason, v.pending = keyward.CreditsExhausted, m.wait(q.Cost, now)
		e.tills.want(m)
		return
	case v.Reason == keyward.Valid && !q.DryRun:
		m.spend(q.Cost, now)
		if m.account != nil && m.account.low(now) {
			e.tills.want(m)
		}
	}
	m.report(v, q.Cost, now)
}

func decide(by *keyward.Actor, org keyward.Standing, end keyward.Time, q *keyward.Request, budget keyward.Budget, now keyward.Time, v *Verdict) {
	v.Reason = keyward.Decide(by, &v.Subject, org, end, q, budget, now)
	if q.Explain {
		v.Checks = append(v.Checks, keyward.Explain(by, &v.Subject, org, end, q, budget, now)...)
	}
}
