package gjirafa

import (
	"net/http"

	"keyward"
	"keyward/internal/api"
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
func succeeded(result any) api.Answer {
	return api.Answer{Body: envelope{
		Success: true, Errors: []string{}, Messages: []string{}, Result: result, StatusCode: http.StatusOK,
	}}
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

// newListItem spells a key. It is the place where secrets leave: those that the
// services let out. Projects that are not in the map are left out.
func newListItem(key *keyward.Key, secret keyward.Secret, projects map[string]*keyward.Project) listItem {
	item := listItem{
		APIKeyID: key.Number, APIKeyName: key.Name, APIKey: key.Hint,
		StartDate: key.StartTime, ExpireDate: key.ExpireTime, HasExpireTime: key.ExpireTime != 0,
		ProjectsNameList: []projectName{},
	}
	if !secret.Empty() {
		item.APIKey = secret.Reveal()
	}
	if item.StartDate == 0 {
		item.StartDate = key.CreatedTime
	}
	for _, id := range key.ProjectIDs {
		if project := projects[id]; project != nil {
			item.ProjectsNameList = append(item.ProjectsNameList, projectName{project.PublicID, project.Name})
		}
	}
	return item
}
