package gjirafa

import (
	"encoding/json"
	"net/http"

	"keyward"
	"keyward/internal/api"
	"keyward/internal/control"
)

// envelope is around every answer. All members are always there.
type envelope struct {
	Success    bool     `json:"success"`
	Errors     []string `json:"errors"`
	Messages   []string `json:"messages"`
	Result     any      `json:"result"`
	ResultInfo *string  `json:"resultInfo"`
	StatusCode int      `json:"statusCode"`
}

// succeeded is an answer with a result.
func succeeded(result any, messages ...string) api.Answer {
	return api.Answer{Body: envelope{
		Success: true, Errors: []string{}, Messages: append([]string{}, messages...), Result: result,
		StatusCode: http.StatusOK,
	}}
}

// changed is an answer to a change. The vendor answers 200 to those that create, too.
func changed(out control.Outcome, result any, messages ...string) api.Answer {
	answer := succeeded(result, messages...)
	answer.Header = api.Propagated(out.Propagation)
	return answer
}

// listItem is a key as lists spell it. The vendor's other answers use other names for
// the same things.
type listItem struct {
	APIKeyID         int32         `json:"apiKeyId"`
	APIKeyName       string        `json:"apiKeyName"`
	APIKey           string        `json:"apiKey"` // the secret, or its hint for those who may not read it
	StartDate        keyward.Time  `json:"startDate"`
	ExpireDate       keyward.Time  `json:"expireDate"` // null if it does not expire
	HasExpireTime    bool          `json:"hasExpireTime"`
	ProjectsNameList []projectName `json:"projectsNameList"`
}

type projectName struct {
	PublicID string `json:"publicId"`
	Name     string `json:"name"`
}

// newListItem spells a key. Projects that are not in the map are left out.
func newListItem(key *keyward.Key, secret keyward.Secret, projects map[string]*keyward.Project) listItem {
	item := listItem{
		APIKeyID: key.Number, APIKeyName: key.Name, APIKey: value(key, secret),
		StartDate: startOf(key), ExpireDate: key.ExpireTime, HasExpireTime: key.ExpireTime != 0,
		ProjectsNameList: []projectName{},
	}
	for _, id := range key.ProjectIDs {
		if project := projects[id]; project != nil {
			item.ProjectsNameList = append(item.ProjectsNameList, projectName{project.PublicID, project.Name})
		}
	}
	return item
}

// oneKey is a key as all answers but lists spell it.
type oneKey struct {
	ID            int32        `json:"id"`
	Name          string       `json:"name"`
	APIKey        string       `json:"apiKey"`
	StartDate     keyward.Time `json:"startDate"`
	ExpireDate    keyward.Time `json:"expireDate"`
	HasExpireTime bool         `json:"hasExpireTime"`
	RoleID        int32        `json:"roleId"` // 0 for keys that were given none, as those made elsewhere
}

func newOneKey(key *keyward.Key, secret keyward.Secret) oneKey {
	return oneKey{
		ID: key.Number, Name: key.Name, APIKey: value(key, secret),
		StartDate: startOf(key), ExpireDate: key.ExpireTime, HasExpireTime: key.ExpireTime != 0, RoleID: key.RoleID,
	}
}

// value is the place where secrets leave: those that the services let out.
func value(key *keyward.Key, secret keyward.Secret) string {
	if secret.Empty() {
		return key.Hint
	}
	return secret.Reveal()
}

// startOf returns from when on a key is good: one without a start, since it was made.
func startOf(key *keyward.Key) keyward.Time {
	if key.StartTime == 0 {
		return key.CreatedTime
	}
	return key.StartTime
}

// createKey is what a key is made of.
type createKey struct {
	Projects []string `json:"listProjectsId"`
	RoleID   *int32   `json:"roleId"`
	Key      struct {
		ID            *int32          `json:"apiKeyId"` // read and ignored: the server numbers keys
		Name          string          `json:"apiName"`
		HasExpireTime *bool           `json:"hasExpireTime"`
		Start         date            `json:"startDateTime"`
		Expire        json.RawMessage `json:"expireDateTime"`
	} `json:"userApiKey"`
}

// key returns the key that is asked for at the instant now, but for where it is to be.
func (in *createKey) key(now keyward.Time) (keyward.Key, error) {
	var faults keyward.Faults
	if in.RoleID == nil {
		faults.Add("/roleId", "is missing")
	} else if *in.RoleID == 0 {
		faults.Add("/roleId", "is no role that a key can have")
	}
	if in.Key.Name == "" { // so that one answer names all that is missing
		faults.Add(createSpelling.name, "is empty")
	}
	key := keyward.Key{Name: in.Key.Name, Type: keyward.SecretKey, StartTime: keyward.Time(in.Key.Start)}
	key.CreatedTime = now // as good as
	if why := expires(&key, in.Key.HasExpireTime, in.Key.Expire); why != "" {
		faults.Add(createSpelling.expire, "%s", why)
	}
	return key, faults.Err()
}

// updateKey is what can change of a key. What is missing or null stays as it is.
type updateKey struct {
	ID            *int32          `json:"id"`
	Name          *string         `json:"name"`
	StartDate     date            `json:"startDate"`
	ExpireDate    json.RawMessage `json:"expireDate"`
	HasExpireTime *bool           `json:"hasExpireTime"`
	RoleID        *int32          `json:"roleId"`
}

// apply writes into the key what is to change, and returns the terms of its new role,
// if it is given another one. Clients send back what they have read: the role that the
// key has gives nothing anew, and what stands for a start that was never set does not
// set it.
func (in *updateKey) apply(key *keyward.Key) (*control.Terms, error) {
	if in.Name != nil {
		key.Name = *in.Name
	}
	if start := keyward.Time(in.StartDate); start != 0 && start != startOf(key) {
		key.StartTime = start
	}
	var faults keyward.Faults
	if why := expires(key, in.HasExpireTime, in.ExpireDate); why != "" {
		faults.Add(updateSpelling.expire, "%s", why)
	}
	if in.RoleID == nil || *in.RoleID == key.RoleID {
		return nil, faults.Err()
	}
	if *in.RoleID == 0 {
		faults.Add("/roleId", "is no role that a key can have")
	}
	return &control.Terms{Role: *in.RoleID}, faults.Err()
}

// expires writes into the key when it ends, which is after it starts, or says what is
// wrong with that. What a date holds does not matter if the key is said not to end.
func expires(key *keyward.Key, has *bool, written json.RawMessage) (why string) {
	if has != nil && !*has {
		key.ExpireTime = 0
		return ""
	}
	var at date
	if written != nil {
		if err := at.UnmarshalJSON(written); err != nil {
			return keyward.MessageOf(err)
		}
	}
	switch end := keyward.Time(at); {
	case end == 0 && has != nil && key.ExpireTime == 0:
		return "is missing"
	case end != 0 && key.StartTime == 0 && end <= startOf(key): // the rest is for the services
		return "is not after the start"
	case end != 0:
		key.ExpireTime = end
	}
	return ""
}

// date is an instant as the vendor's clients write it: ISO 8601 with or without a
// zone. Without one it is UTC, as .NET writes it. Null, and 0, is none.
type date keyward.Time

// UnmarshalJSON reads null, or text that is what [keyward.ParseTime] reads once it has a
// zone.
func (d *date) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil {
		return keyward.Errorf(keyward.Invalid, "must be a string")
	}
	if text == nil {
		*d = 0
		return nil
	}
	t, err := keyward.ParseTime(*text)
	if zoned, bad := keyward.ParseTime(*text + "Z"); err != nil && bad == nil {
		t, err = zoned, nil
	}
	*d = date(t)
	return err
}
