package server_test

// misuse is one request that a vendor's API refuses, with what it answers. In its
// target and body {name} stands for an id of the trial's.
type misuse struct {
	target string // method, path and query
	body   string
	want   int
	names  string // what the answer must name
}

const (
	gjirafaKeyList = "/gjirafa/api/organizations/{organizationId}/api-keys"
	gjirafaProject = "/gjirafa/api/projects/{projectId}/api-keys"
	rebillyKeyList = "/rebilly/organizations/{organizationId}/api-keys"
)

// wholeNumbers are no numbers of 32 bits. The second is {keyNumber} and the last 39 for
// who lets them wrap.
func wholeNumbers() []string {
	return []string{
		"2147483648", "{wrapped}", "-2147483649", "9223372036854775808", times(400, "9"), "1.5", "1e400", `"39"`, `""`, "true", "[39]", "{}",
		"4294967335",
	}
}

// noDates are no instants, as JSON.
func noDates() []string {
	return []string{
		`"2032-02-30T00:00:00Z"`, `"2032-01-01T25:00:00Z"`, `"2032-01-01T00:00:60Z"`, `"2032-01-01"`, `"2032-01-01 00:00:00Z"`, `"tomorrow"`, `""`,
		`"Z"`, "0", "1956528000", "1956528000000.5", "true", "[]", "{}", `"10000-01-01T00:00:00Z"`, `"0000-01-01T00:00:00Z"`, `"2032-13-01T00:00:00Z"`,
		`"2032-01-01T00:00:00+25:00"`, `"2032-01-01T00:00:00Z\u0000"`, `" 2032-01-01T00:00:00Z"`, `"２０３２-01-01T00:00:00Z"`,
		`"` + times(10000, "2") + `"`, `"2032-01-01T00:00:00.` + times(1000, "9") + `x"`,
	}
}

// gjirafaMisuses are refused with 400 where the input is wrong, and with 404 where what
// it names is not there.
func gjirafaMisuses() []misuse {
	var all []misuse
	create := func(want int, names string, members ...string) {
		for _, text := range members {
			for _, path := range []string{gjirafaKeyList, gjirafaProject} {
				all = append(all, misuse{"POST " + path, "{" + text + "}", want, names})
			}
		}
	}
	update := func(want int, names string, members ...string) {
		for _, text := range members {
			for _, path := range []string{gjirafaKeyList, gjirafaProject} {
				all = append(all, misuse{"PUT " + path, "{" + text + "}", want, names})
			}
		}
	}
	const named = `,"userApiKey":{"apiName":"x"}`
	for _, number := range wholeNumbers() {
		create(400, "roleId", `"roleId":`+number+named)
		update(400, "roleId", `"id":{memberNumber},"roleId":`+number)
		update(400, "id", `"name":"x","id":`+number)
		all = append(all, misuse{"POST " + gjirafaKeyList + "/projects", `{"projectIds":["{projectId}"],"apiKeyId":` + number + `}`, 400, "apiKeyId"})
		create(400, "apiKeyId", `"roleId":39,"userApiKey":{"apiName":"x","apiKeyId":`+number+`}`)
	}
	create(400, "roleId", `"roleId":999999`+named, `"roleId":0`+named, `"roleId":-39`+named, `"roleId":null`+named, named[1:], `"roleId":{foreignRole}`+named)
	create(400, "apiName", `"roleId":39`, `"roleId":39,"userApiKey":{}`, `"roleId":39,"userApiKey":{"apiName":"   "}`,
		`"roleId":39,"userApiKey":{"apiName":"a\u0000b"}`, `"roleId":39,"userApiKey":{"apiName":"`+times(256, "ä")+`"}`, `"roleId":39,"userApiKey":{"apiName":1}`)
	create(400, "roleId", `"roleId":39,"roleId":4`+named, `"roleId":39,"ROLEID":4`+named, `"roleId":39,"r\u006fleId":4`+named)
	create(400, "listProjectsId", `"listProjectsId":["{foreignProject}"],"roleId":39`+named, `"listProjectsId":["{foreignPublic}"],"roleId":39`+named,
		`"listProjectsId":[""],"roleId":39`+named, `"listProjectsId":"x","roleId":39`+named, `"listProjectsId":[1],"roleId":39`+named,
		`"listProjectsId":[null],"roleId":39`+named, `"listProjectsId":[`+times(200, `"a",`)+`"a"],"roleId":39`+named)
	for _, date := range noDates() {
		create(400, "startDateTime", `"roleId":39,"userApiKey":{"apiName":"x","startDateTime":`+date+`}`)
		create(400, "expireDateTime", `"roleId":39,"userApiKey":{"apiName":"x","hasExpireTime":true,"expireDateTime":`+date+`}`)
		update(400, "startDate", `"id":{memberNumber},"startDate":`+date)
		update(400, "expireDate", `"id":{memberNumber},"expireDate":`+date)
	}
	create(400, "expireDateTime", `"roleId":39,"userApiKey":{"apiName":"x","hasExpireTime":true}`,
		`"roleId":39,"userApiKey":{"apiName":"x","hasExpireTime":true,"startDateTime":"2033-01-01T00:00:00Z","expireDateTime":"2032-01-01T00:00:00Z"}`)
	create(400, "hasExpireTime", `"roleId":39,"userApiKey":{"apiName":"x","hasExpireTime":"true"}`, `"roleId":39,"userApiKey":{"apiName":"x","hasExpireTime":1}`)
	update(400, "id", ``, `"name":"x"`, `"id":null,"name":"x"`)
	update(404, "Result Not Found", `"id":0,"name":"x"`, `"id":-1,"name":"x"`, `"id":2147483647,"name":"x"`)
	update(400, "name", `"id":{memberNumber},"name":""`, `"id":{memberNumber},"name":" "`, `"id":{memberNumber},"name":7`, `"id":{memberNumber},"name":"a","NAME":"b"`)
	return append(all, gjirafaPathMisuses()...)
}

func gjirafaPathMisuses() []misuse {
	var all []misuse
	for _, id := range []string{"2147483648", "{wrapped}", "-2147483649", "1.5", "01", "+1", "1e1", "0x1", "abc", "%D9%A3", times(51, "1"), "key_x", "1%2e", "%20"} {
		for _, family := range []string{gjirafaKeyList, gjirafaProject} {
			all = append(all, misuse{"GET " + family + "/" + id, "", 400, "id"}, misuse{"DELETE " + family + "/" + id, "", 400, "id"})
		}
		all = append(all, misuse{"GET /gjirafa/api/roles/" + id, "", 400, "id"},
			misuse{"PUT " + gjirafaKeyList + "/" + id + "/projects?projectId={projectId}", "", 400, "id"})
	}
	for _, id := range []string{"%2F", "%00", "%2e%2e", "..", ".", "1%2F2", "%5C", "%ff"} {
		all = append(all, misuse{"DELETE " + gjirafaKeyList + "/" + id, "", 404, ""}, misuse{"GET " + gjirafaProject + "/" + id, "", 404, ""})
	}
	const membership = gjirafaKeyList + "/{keyNumber}/projects"
	return append(
		all,
		misuse{"GET " + gjirafaKeyList + "/0", "", 404, ""}, misuse{"GET " + gjirafaKeyList + "/-1", "", 404, ""},
		misuse{"GET /gjirafa/api/organizations/{foreignOrganization}/api-keys", "", 404, ""},
		misuse{"GET /gjirafa/api/projects/{foreignProject}/api-keys", "", 404, ""},
		misuse{"POST /gjirafa/api/projects/{foreignPublic}/api-keys", `{"roleId":39,"userApiKey":{"apiName":"x"}}`, 404, ""},
		misuse{"GET /gjirafa/api/organizations/AGMIPPMB/api-keys", "", 404, ""}, misuse{"GET /gjirafa/api/organizations/a/b/api-keys", "", 404, ""},
		misuse{"GET /gjirafa/api/roles/{foreignRole}", "", 404, ""}, misuse{"GET /gjirafa/api/roles?projectId={foreignProject}", "", 404, ""},
		misuse{"GET /gjirafa/api/roles?organizationId={foreignOrganization}", "", 404, ""},
		misuse{"PUT " + membership, "", 400, "projectId"}, misuse{"PUT " + membership + "?projectId=", "", 400, "projectId"},
		misuse{"PUT " + membership + "?projectId={foreignProject}", "", 404, ""}, misuse{"PUT " + membership + "?projectId=a&projectId=b", "", 400, "projectId"},
		misuse{"PUT " + membership + "?projectId=%zz", "", 400, ""}, misuse{"PUT " + membership + "?projectId=a;b", "", 404, ""},
		misuse{"PUT " + membership + "?%00=a", "", 400, ""},
		misuse{"POST " + gjirafaKeyList + "/projects", `{"apiKeyId":{keyNumber},"projectIds":["{foreignProject}"]}`, 400, "projectIds"},
		misuse{"POST " + gjirafaKeyList + "/projects", `{"apiKeyId":{keyNumber}}`, 400, "projectIds"},
		misuse{"POST " + gjirafaKeyList + "/projects", `{"apiKeyId":{foreignNumber},"projectIds":["{projectId}"]}`, 404, ""},
		misuse{"GET /gjirafa/api/roles?page=0", "", 400, "page"}, misuse{"GET /gjirafa/api/roles?take=0", "", 400, "take"},
		misuse{"GET /gjirafa/api/roles?take=2147483648", "", 400, "take"}, misuse{"GET /gjirafa/api/roles?page=4294967297", "", 400, "page"},
		misuse{"GET /gjirafa/api/roles?take=1001", "", 400, "take"},
		misuse{"GET /gjirafa/api/roles?page=1&page=2", "", 400, "page"}, misuse{"GET /gjirafa/api/roles?search=%00", "", 400, "search"},
		misuse{"GET /gjirafa/api/keys", "", 404, ""}, misuse{"GET /gjirafa/", "", 404, ""}, misuse{"PATCH " + gjirafaKeyList, "", 405, ""},
	)
}

// rebillyMisuses are refused with 422 where a member is wrong, with 400 where the query
// is, or the body cannot be read at all.
func rebillyMisuses() []misuse {
	var all []misuse
	write := func(names string, members ...string) {
		for _, text := range members {
			all = append(all, misuse{"POST " + rebillyKeyList, "{" + text + "}", 422, names}, misuse{"PUT " + rebillyKeyList + "/{keyId}", "{" + text + "}", 422, names},
				misuse{"PUT " + rebillyKeyList + "/a-new-one", "{" + text + "}", 422, names})
		}
	}
	write("description", ``, `"description":null`, `"description":""`, `"description":"  "`, `"description":1`, `"description":["x"]`,
		`"description":"`+times(256, "x")+`"`, `"description":"a\u0000"`, `"description":"\u202egpj"`)
	for _, text := range []string{`"x"`, `"SECRET"`, "1", "{}", `""`} {
		write("type", `"description":"x","type":`+text)
	}
	for names, texts := range map[string][]string{
		"acl":               {"{}", `"*"`, "1", "true"},
		"acl.0.scope":       {`[{"permissions":["*"]}]`, `[{"scope":null,"permissions":["*"]}]`, `[{"scope":"x","permissions":["*"]}]`, `[{"scope":[1],"permissions":["*"]}]`},
		"acl.0.permissions": {`[{"scope":{}}]`, `[{"scope":{},"permissions":null}]`, `[{"scope":{},"permissions":"*"}]`, `[{"scope":{},"permissions":{}}]`},
		"acl.0.scope.productId": {
			`[{"scope":{"productId":"x"},"permissions":["*"]}]`, `[{"scope":{"productId":null},"permissions":["*"]}]`, `[{"scope":{"productId":["` + times(51, "x") + `"]},"permissions":["*"]}]`,
		},
		"acl.0.scope.customFieldName": {`[{"scope":{"customFieldName":["a b"]},"permissions":["*"]}]`, `[{"scope":{"customFieldName":["` + times(61, "x") + `"]},"permissions":[]}]`},
		"acl.0.scope.websiteId":       {`[{"scope":{"websiteId":["x"]},"permissions":["*"]}]`},
		"acl.0":                       {`[1]`, `[[]]`, `["*"]`},
		"acl.0.permissions.0":         {`[{"scope":{},"permissions":[""]}]`, `[{"scope":{},"permissions":[1]}]`, `[{"scope":{},"permissions":["a\u0000"]}]`},
	} {
		for _, text := range texts {
			write(names, `"description":"x","acl":`+text)
		}
	}
	for _, ip := range []string{
		"10.0.0.1", "172.16.0.0/12", "192.168.1.1", "127.0.0.1", "169.254.1.1", "100.64.0.0/10", "fc00::1", "fe80::1", "::1", "::ffff:10.0.0.1", "10.*.*.*",
		"010.8.8.8", "1.2.3", "1.2.3.4/33", "1.2.3.4:80", "*", "1.*.3.*", "1.2.3.*/24", "example.com", "", " 8.8.8.8", "2001:db8::/129", "fe80::1%25eth0", "8.8.8.8/-1",
		"**.1.1.1", "76.*.*", "76.*.*.*.*", "0x8.8.8.8", "８.8.8.8",
	} {
		write("allowedIps.1", `"description":"x","allowedIps":["8.8.8.8","`+ip+`"]`)
	}
	write("allowedIps", `"description":"x","allowedIps":"8.8.8.8"`, `"description":"x","allowedIps":{}`, `"description":"x","allowedIps":[8]`,
		`"description":"x","allowedIps":[null]`, `"description":"x","allowedIps":[`+times(10000, `"8.8.8.8",`)+`"8.8.4.4"]`)
	return append(all, rebillyPathMisuses()...)
}

func rebillyPathMisuses() []misuse {
	var all []misuse
	const some = `{"description":"x","acl":[]}`
	for _, id := range []string{times(51, "a"), "a+b", "a%20b", "%C3%A4", "a:b", "a$b", "key_mine", "a%3Bb", "%E2%80%AE", "a,b", "*"} {
		all = append(all, misuse{"PUT " + rebillyKeyList + "/" + id, some, 422, "id"}, misuse{"GET " + rebillyKeyList + "/" + id, "", 404, ""},
			misuse{"DELETE " + rebillyKeyList + "/" + id, "", 404, ""})
	}
	for _, id := range []string{"..", ".", "%2e%2e", "%2E", "a%2Fb", "%00", "a%00", "%5C", "%ff", "a%0a", "a%0d%0aX:1"} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			body := ""
			if method == "PUT" {
				body = some
			}
			all = append(all, misuse{method + " " + rebillyKeyList + "/" + id, body, 404, ""}, misuse{method + " /rebilly/organizations/" + id + "/api-keys/x", body, 404, ""})
		}
	}
	for name, texts := range map[string][]string{
		"limit":  {"1001", "-1", "1.5", "1e1", "x", "", "2147483648", "9223372036854775808", "%2B1", "01x"},
		"offset": {"-1", "1.5", "x", "", "9223372036854775808", "1e3"},
		"sort":   {"secretKey", "-", "--id", "digest", "id;drop", "id%20desc", "id,id", ",", "(select%201)", "allowedIps"},
		"filter": {
			"secretKey:x", "type", ":", "createdTime:tomorrow", "createdTime:2026-02-30", "id:a..b", "description:@saved", "description:%22open", "digest:x", "id:a%5C",
			"organizationId:x", "apiUser:" + times(3000, "a,") + "a", "%00", "createdTime:2026-01-01T00:00:00..",
		},
	} {
		for _, text := range texts {
			all = append(all, misuse{"GET " + rebillyKeyList + "?" + name + "=" + text, "", 400, name})
		}
		all = append(all, misuse{"GET " + rebillyKeyList + "?" + name + "=1&" + name + "=2", "", 400, name}, misuse{"GET " + rebillyKeyList + "?" + name + "=%zz", "", 400, ""})
	}
	return append(
		all,
		misuse{"GET /rebilly/organizations/{foreignOrganization}/api-keys", "", 404, ""}, misuse{"PUT /rebilly/organizations/{foreignOrganization}/api-keys/x", some, 404, ""},
		misuse{"PATCH /rebilly/organizations/{foreignOrganization}", `{"name":"x"}`, 404, ""}, misuse{"GET /rebilly/organizations/{foreignOrganization}", "", 404, ""},
		misuse{"GET /rebilly/nothing", "", 404, ""}, misuse{"GET /rebilly/api-keys/a/b", "", 404, ""}, misuse{"GET /rebilly/api-keys//", "", 404, ""},
		misuse{"PATCH " + rebillyKeyList + "/{keyId}", some, 405, ""}, misuse{"DELETE " + rebillyKeyList, "", 405, ""}, misuse{"POST " + rebillyKeyList + "/{keyId}", some, 405, ""},
		misuse{"POST " + rebillyKeyList, `{"description":"x"`, 400, ""}, misuse{"POST " + rebillyKeyList, `[]`, 400, ""}, misuse{"POST " + rebillyKeyList, ``, 400, ""},
		misuse{"POST " + rebillyKeyList, `{"description":"a","description":"b"}`, 422, "description"},
	)
}

// aerospikeMisuses are refused with 400 in both versions.
func aerospikeMisuses() []misuse {
	var all []misuse
	for _, version := range []string{"/aerospike/v1", "/aerospike/v2"} {
		for _, body := range []string{
			``, `{}`, `{"name":null}`, `{"name":""}`, `{"name":"   "}`, `{"name":"\t\n"}`, `{"name":"` + times(101, "x") + `"}`, `{"name":"` + times(101, "😀") + `"}`, `{"name":1}`, `{"name":["x"]}`,
			`{"name":"a\u0000"}`, `{"name":"a","name":"b"}`, `{"name":"x"`, `[]`, `"x"`, `null`, `{"NAME":"x"}`, `{"name":"\u202ex"}`,
		} {
			all = append(all, misuse{"POST " + version + "/api-keys", body, 400, ""})
		}
		for _, id := range []string{"x", "..", "%2e", "%2F", "%00", times(51, "a"), "key_x", "*", "{keyId}", "{foreignClient}", "%20", "%F0%9F%98%80", "a%0ab"} {
			all = append(all, misuse{"DELETE " + version + "/api-keys/" + id, "", 404, ""})
		}
		all = append(all, misuse{"GET " + version + "/api-keys/{clientId}", "", 405, ""}, misuse{"PUT " + version + "/api-keys/{clientId}", `{"name":"x"}`, 405, ""},
			misuse{"PATCH " + version + "/api-keys", `{"name":"x"}`, 405, ""}, misuse{"GET " + version + "/nothing", "", 404, ""}, misuse{"GET " + version, "", 404, ""},
			misuse{"GET " + version + "/organization/", "", 404, ""}, misuse{"DELETE " + version + "/organization", "", 405, ""})
	}
	for name, texts := range map[string][]string{
		"limit":  {"0", "101", "-1", "1.5", "1e1", "x", "", "2147483648", "9223372036854775808", "%2B1", "4294967297"},
		"offset": {"-1", "1.5", "x", "", "9223372036854775808"},
	} {
		for _, text := range texts {
			all = append(all, misuse{"GET /aerospike/v1/api-keys?" + name + "=" + text, "", 400, "/" + name})
		}
		all = append(all, misuse{"GET /aerospike/v1/api-keys?" + name + "=1&" + name + "=2", "", 400, "/" + name}, misuse{"GET /aerospike/v1/api-keys?" + name + "=%zz", "", 400, ""})
	}
	return append(all, misuse{"GET /aerospike/v3/api-keys", "", 404, ""}, misuse{"GET /aerospike/oauth/token", "", 405, ""}, misuse{"GET /aerospike/oauth", "", 404, ""})
}

// signInMisuses are refused before anybody asks whose they are.
func signInMisuses() []misuse {
	var all []misuse
	add := func(want int, names string, texts ...string) {
		for _, text := range texts {
			all = append(all, misuse{"POST /rebilly/signin", text, want, names})
		}
	}
	add(422, "email", `{}`, `{"email":null,"password":"x"}`, `{"email":"","password":"x"}`, `{"email":1,"password":"x"}`, `{"email":["a@b"],"password":"x"}`, `{"email":"a\u0000","password":"x"}`)
	add(422, "password", `{"email":"a@b"}`, `{"email":"a@b","password":null}`, `{"email":"a@b","password":""}`, `{"email":"a@b","password":{}}`, `{"email":"a@b","password":"a\u0000"}`)
	add(422, "oneTimePassword", `{"email":"a@b","password":"x","oneTimePassword":"12345"}`, `{"email":"a@b","password":"x","oneTimePassword":"１２３４５６"}`,
		`{"email":"a@b","password":"x","oneTimePassword":123456}`)
	for _, date := range append(noDates(), `"2032-01-01T00:00:00"`, `"2020-01-01T00:00:00Z"`, `"9999-12-31T23:59:59Z"`) {
		add(422, "expiredTime", `{"email":"a@b","password":"x","expiredTime":`+date+`}`)
	}
	add(400, "", ``, `{`, `[]`, `null`, `"x"`, "{\"email\":\"\xff\",\"password\":\"x\"}")
	add(422, "email", `{"email":"a@b","email":"c@d","password":"x"}`)
	add(413, "", `{"email":"`+times(70_000, "a")+`","password":"x"}`)
	add(401, "", `{"email":"a@b","password":"x"}`, `{"email":"' OR '1'='1","password":"' OR '1'='1"}`,
		`{"email":"{email}","password":"x"}`, `{"email":"{email}","password":"`+times(10_000, "x")+`"}`, `{"email":"{email} ","password":"`+passphrase+`"}`,
		`{"email":"`+times(10_000, "x")+`","password":"x"}`)
	return append(all, misuse{"GET /rebilly/signin", "", 405, ""}, misuse{"POST /rebilly/signin/", `{}`, 404, ""},
		misuse{"POST /rebilly/organizations/{organizationId}/signin", `{}`, 404, ""})
}
