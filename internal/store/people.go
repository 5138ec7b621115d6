package store

import (
	"context"

	"keyward"
)

// Person is an operator with what signing in depends on.
type Person struct {
	keyward.Operator
	PasswordHash string // "" if there is no password
	Home         bool   // whether its organization, if it has one, is there and enabled
}

// Person returns the operator with an e-mail address, whatever the letter case. It is
// one query, whether or not there is one.
func (r reader) Person(ctx context.Context, email string) (*Person, error) {
	var found *Person
	query := "SELECT " + operatorColumns + `, password, organization_id = '' OR EXISTS (SELECT 1 FROM organizations g
		WHERE g.id = operators.organization_id AND g.enabled = $1 AND g.deleted_ms = 0)
		FROM operators WHERE email_folded = $2 AND email_folded <> '' AND deleted_ms = 0`
	err := r.each(ctx, query, []any{true, keyward.Fold(email)}, func(scan func(...any) error) error {
		var p Person
		operator, err := scanOperator(func(columns ...any) error { return scan(append(columns, &p.PasswordHash, &p.Home)...) })
		p.Operator = *operator
		found = &p
		return err
	})
	if err == nil && found == nil {
		err = keyward.Errorf(keyward.NotFound, noOperator)
	}
	return found, err
}

// SetPassword writes the hash of an operator's password; "" takes the password away.
func (tx *Tx) SetPassword(ctx context.Context, o *keyward.Operator, hash string) error {
	o.HasPassword = hash != ""
	return tx.execOne(ctx, noOperator, "UPDATE operators SET password = $1 WHERE id = $2 AND deleted_ms = 0", hash, o.ID)
}

// Attempts are how often somebody tried something, until the count begins anew.
type Attempts struct {
	Count int64
	Reset keyward.Time
}

// Attempts returns the attempts of a subject that count at the instant now.
func (r reader) Attempts(ctx context.Context, subject [32]byte, now keyward.Time) (Attempts, error) {
	var a Attempts
	err := r.one(ctx, "no attempts", "SELECT count, reset_ms FROM signin_attempts WHERE subject = $1 AND reset_ms > $2",
		[]any{subject[:], int64(now)}, &a.Count, &a.Reset)
	if keyward.CodeOf(err) == keyward.NotFound {
		err = nil
	}
	return a, err
}

// CountAttempt adds one to the attempts of a subject and returns them. The first one,
// and the first one after a reset, counts until reset.
func (tx *Tx) CountAttempt(ctx context.Context, subject [32]byte, now, reset keyward.Time) (Attempts, error) {
	var a Attempts
	err := tx.one(ctx, "no attempts", `INSERT INTO signin_attempts (subject, count, reset_ms) VALUES ($1, 1, $2)
		ON CONFLICT (subject) DO UPDATE SET
			count = CASE WHEN signin_attempts.reset_ms > $3 THEN signin_attempts.count + 1 ELSE 1 END,
			reset_ms = CASE WHEN signin_attempts.reset_ms > $3 THEN signin_attempts.reset_ms ELSE excluded.reset_ms END
		RETURNING count, reset_ms`, []any{subject[:], int64(reset), int64(now)}, &a.Count, &a.Reset)
	return a, err
}

// ForgetAttempts makes the attempts of a subject count no more.
func (tx *Tx) ForgetAttempts(ctx context.Context, subject [32]byte) error {
	_, err := tx.exec(ctx, "DELETE FROM signin_attempts WHERE subject = $1", subject[:])
	return err
}

// ForgetAttempt takes one off the attempts of a subject.
func (tx *Tx) ForgetAttempt(ctx context.Context, subject [32]byte) error {
	_, err := tx.exec(ctx, "UPDATE signin_attempts SET count = count - 1 WHERE subject = $1 AND count > 0", subject[:])
	return err
}

// DropAttempts forgets those that do not count any more.
func (tx *Tx) DropAttempts(ctx context.Context, now keyward.Time) error {
	_, err := tx.exec(ctx, "DELETE FROM signin_attempts WHERE reset_ms <= $1", int64(now))
	return err
}

// RevokeToken notes that an access token is void, and returns whether it was good until
// then.
func (tx *Tx) RevokeToken(ctx context.Context, id string, expire keyward.Time) (bool, error) {
	n, err := tx.exec(ctx, "INSERT INTO revoked_tokens (id, expire_ms) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
		id, int64(expire))
	return n > 0, err
}

// DropRevoked forgets revoked tokens that expired before the instant.
func (tx *Tx) DropRevoked(ctx context.Context, before keyward.Time) error {
	_, err := tx.exec(ctx, "DELETE FROM revoked_tokens WHERE expire_ms < $1", int64(before))
	return err
}

// tokenRecords loads the revoked tokens that meet a condition.
func (r reader) tokenRecords(ctx context.Context, condition string, args []any, load func(keyward.Record) error) error {
	return r.each(ctx, "SELECT id, expire_ms FROM revoked_tokens WHERE "+condition, args,
		func(scan func(...any) error) error {
			var t keyward.TokenRecord
			if err := scan(&t.ID, &t.ExpireTime); err != nil {
				return err
			}
			return load(keyward.Record{Token: &t})
		})
}
