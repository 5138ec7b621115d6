package rebilly

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"unicode/utf8"

	"keyward"
)

// profile is what the vendor's clients know of an organization and Keyward does not.
// It is kept for them; nothing here depends on it.
type profile struct {
	Country        string   `json:"country,omitempty"`
	Website        string   `json:"website,omitempty"` // never shown
	ReportCurrency string   `json:"reportCurrency,omitempty"`
	Settings       settings `json:"settings"`
}

type settings struct {
	Notifications notifications `json:"notifications"`
}

type notifications struct {
	OnKeys    bool     `json:"notifyOnApiKeyAccessChanges"`
	OnUsers   bool     `json:"notifyOnUserAccessChanges"`
	Addresses []string `json:"notificationEmailAddresses"`
}

// profileMember is this dialect's member of [keyward.Organization.Profile].
const profileMember = "rebilly"

// profileOf returns an organization's profile.
func profileOf(o *keyward.Organization) (profile, error) {
	all, err := profiles(o)
	if err != nil {
		return profile{}, err
	}
	p := profile{Settings: settings{notifications{Addresses: []string{}}}}
	if kept, ok := all[profileMember]; ok {
		err = json.Unmarshal(kept, &p)
	}
	return p, err
}

// keepIn puts the profile beside those of other dialects.
func (p *profile) keepIn(o *keyward.Organization) error {
	all, err := profiles(o)
	if err != nil {
		return err
	}
	if all[profileMember], err = json.Marshal(p); err != nil {
		return err
	}
	o.Profile, err = json.Marshal(all)
	return err
}

func profiles(o *keyward.Organization) (map[string]json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	if len(o.Profile) == 0 {
		return all, nil
	}
	return all, json.Unmarshal(o.Profile, &all)
}

// What the vendor lets the members of an organization be.
const (
	maxName      = 60
	maxWebsite   = 255
	maxAddress   = 254 // bytes (RFC 3696, erratum 1690)
	maxAddresses = 50  // chosen
)

var (
	countryForm  = regexp.MustCompile(`^[A-Z]{2}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

// check notes which members break a rule.
func (p *profile) check(faults *keyward.Faults) {
	if p.Country != "" && !countryForm.MatchString(p.Country) {
		faults.Add("/country", "must be the two capital letters of ISO 3166-1")
	}
	if p.ReportCurrency != "" && !currencyForm.MatchString(p.ReportCurrency) {
		faults.Add("/reportCurrency", "must be the three capital letters of ISO 4217")
	}
	if p.Website != "" && !isWebsite(p.Website) {
		faults.Add("/website", "must be an address such as https://www.example.com, of at most %d characters", maxWebsite)
	}
	const at = "/settings/notifications/notificationEmailAddresses"
	if len(p.Settings.Notifications.Addresses) > maxAddresses {
		faults.Add(at, "has more than %d addresses", maxAddresses)
		return
	}
	for i, text := range p.Settings.Notifications.Addresses {
		if address, err := mail.ParseAddress(text); err != nil || address.Address != text || len(text) > maxAddress {
			faults.Add(fmt.Sprintf("%s/%d", at, i), "is not an e-mail address")
		}
	}
}

func isWebsite(text string) bool {
	u, err := url.Parse(text)
	return err == nil && utf8.RuneCountInString(text) <= maxWebsite && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}
