package server_test

import (
	"fmt"
	"strings"
)

// hostile is one thing that nobody should send, with the number of the abuse case
// that it is of.
type hostile struct {
	abuse string
	text  string
	want  int    // the status natively; 0 is any that is no server error
	names string // what the error must name, if it is to be more than said
}

func times(n int, text string) string { return strings.Repeat(text, n) }

// queries are put behind every list.
var queries = []hostile{
	{"A1", "limit=0", 400, "/limit"}, {"A1", "limit=-1", 400, "/limit"}, {"A1", "limit=1001", 400, "/limit"},
	{"A1", "limit=1e3", 400, "/limit"}, {"A1", "limit=2147483648", 400, "/limit"}, {"A1", "limit=NaN", 400, "/limit"},
	{"A1", "limit=9223372036854775808", 400, "/limit"}, {"A1", "limit=", 400, "/limit"}, {"A1", "limit=%2B5", 400, "/limit"},
	{"A1", "limit=5%20", 400, "/limit"}, {"A1", "limit=0x10", 400, "/limit"}, {"A1", "limit=1_0", 400, "/limit"},
	{"A1", "limit=%D9%A3", 400, "/limit"}, {"A1", "limit=5.0", 400, "/limit"},
	{"A2", "offset=9223372036854775807", 400, "/offset"}, {"A2", "page=4294967296&limit=100", 400, "/page"},
	{"A2", "offset=-1", 400, "/offset"}, {"A2", "offset=99999999999999999999", 400, "/offset"},
	{"A3", "cursor=garbage", 400, "/cursor"}, {"A3", "cursor=", 400, "/cursor"}, {"A3", "cursor=" + times(10240, "A"), 400, "/cursor"},
	{"A3", "cursor=%00", 400, "/cursor"}, {"A3", "cursor=AAAA%3D%3D", 400, "/cursor"}, {"A3", "cursor=../../etc/passwd", 400, "/cursor"},
	{"A5", "limit=10&limit=1000", 400, "/limit"}, {"A5", "limit[]=1", 400, ""}, {"A5", "limit[$gt]=0", 400, ""},
	{"A5", "sort=name&sort=id", 400, "/sort"}, {"A5", "limit=10&%6cimit=10", 400, "/limit"},
	{"A6", "sort=name;drop%20table%20keys", 400, "/sort"}, {"A6", "sort=name%20desc%20nulls%20last", 400, "/sort"},
	{"A6", "sort=(select%201)", 400, "/sort"}, {"A6", "sort=digest", 400, "/sort"}, {"A6", "sort=-", 400, "/sort"},
	{"A6", "sort=-secret", 400, "/sort"}, {"A6", "sort=--name", 400, "/sort"}, {"A6", "sort=,", 400, "/sort"},
	{"A6", "sort=" + times(2000, "name,") + "name", 400, "/sort"}, {"A6", "sort=name,name", 400, "/sort"}, {"A6", "sort=1", 400, "/sort"},
	{"A8", "q=%25", 200, ""}, {"A8", "q=_", 200, ""}, {"A8", "q=%5C", 200, ""}, {"A8", "q='", 200, ""}, {"A8", "q=%22*", 200, ""},
	{"A9", "filter=" + times(5000, "(") + "name" + times(5000, ")"), 400, "/filter"},
	{"A9", "filter=" + times(400, "name:a;") + "name:a", 400, "/filter"}, {"A9", "filter=name:" + times(3000, "a,") + "a", 400, "/filter"},
	{"A9", "filter=name:%22unclosed", 400, "/filter"}, {"A9", "filter=name~a", 400, "/filter"}, {"A9", "filter=createdTime:tomorrow", 400, "/filter"},
	{"A9", "filter=name:a..b", 400, "/filter"}, {"A9", "filter=:", 400, "/filter"}, {"A9", "filter=;", 400, "/filter"}, {"A9", "filter=name:@saved", 400, "/filter"},
	{"A9", "filter=secret:a", 400, "/filter"}, {"A9", "filter=digest:a", 400, "/filter"}, {"A9", "filter=organization_id:a", 400, "/filter"},
	{"A9", "filter=id:a%5C", 400, "/filter"}, {"A9", "filter=" + times(9000, "a"), 400, "/filter"}, {"A9", "filter=name:a,!b", 400, "/filter"},
	{"A10", "q=" + times(40, "(a%2B)%2B") + "$", 0, ""}, {"A10", "filter=id:(a%2B)%2B$", 200, ""},
	{"A11", "filter=id:'%20OR%20'1'%3D'1", 200, ""}, {"A11", "filter=id:%221%5C;select%20pg_sleep(10)%22", 0, ""},
	{"A11", "filter=id:%22%20UNION%20SELECT%20*%20FROM%20keys%20--%22", 0, ""}, {"A11", "q='%20OR%201=1%20--", 200, ""},
	{"A11", "q=1);select%20pg_sleep(10)--", 200, ""}, {"A11", "sort=name'--", 400, "/sort"},
	{"A12", "q=" + times(256, "a"), 400, "/q"}, {"A12", "q=" + times(17000, "a"), 414, "too long"},
	{"A13", "filter=createdTime:2026-02-01..2026-01-01", 0, ""}, {"A13", "filter=createdTime:10000-01-01", 400, "/filter"},
	{"A13", "filter=createdTime:-1", 400, "/filter"}, {"A13", "filter=createdTime:1e400", 400, "/filter"},
	{"A13", "filter=createdTime:9999-12-31T23:59:59.999Z..", 0, ""}, {"A13", "filter=createdTime:2024-02-30", 400, "/filter"},
	{"A15", "fields=secret,digest,pepper_id", 400, "/fields"}, {"A15", "expand=secrets", 400, "/expand"}, {"A15", "include=versions.secret", 400, "/include"},
	{"A16", "q=%00", 400, "/q"}, {"A16", "q=a%0d%0aSet-Cookie:%20x=1", 400, "/q"}, {"A16", "q=%7f", 400, "/q"}, {"A16", "q=%ff", 400, "/q"},
	{"A16", "q=%c0%ae", 400, "/q"}, {"A16", "filter=%00", 400, "/filter"}, {"A16", "%00=1", 400, ""},
	{"A17", "a=1;b=2", 400, ""}, {"A17", "q=%zz", 400, "/q"}, {"A17", "q=%", 400, "/q"}, {"A17", "limit", 400, "/limit"}, {"A17", "=1", 400, ""},
	{"A17", "&", 400, ""}, {"A17", "q=a&", 400, ""}, {"A17", "a=" + times(20000, "b"), 414, "too long"}, {"A17", times(3000, "&"), 400, ""},
	{"A47", "api_key=kw_live_secret", 400, "/api_key"}, {"A47", "access_token=kw_live_secret", 400, "/access_token"},
	{"A47", "token=kw_live_secret", 400, "/token"}, {"A47", "count=maybe", 400, "/count"}, {"A47", "wait=all", 400, "/wait"},
}

// pathIDs are put in the place of every id in every path.
var pathIDs = []hostile{
	{"A45", "..%2F..%2Fetc%2Fpasswd", 404, ""}, {"A45", "%2F%2F..%2F", 404, ""}, {"A45", "%00", 404, ""}, {"A45", times(1024, "a"), 404, ""},
	{"A45", "null", 404, ""}, {"A45", "undefined", 404, ""}, {"A45", "*", 404, ""}, {"A45", "%2e", 404, ""}, {"A45", "%2e%2e", 404, ""},
	{"A45", "%5C..%5C", 404, ""}, {"A45", "%0d%0aX:%201", 404, ""}, {"A45", "%ff%fe", 404, ""}, {"A45", "%E2%80%AE", 404, ""}, {"A45", "%20", 404, ""},
	{"A44", "..;", 404, ""}, {"A44", "a%2f..%2fadmin", 404, ""}, {"A44", ";admin=true", 404, ""}, {"A11", "'%20OR%20'1'%3D'1", 404, ""},
	{"A11", "1;select%20pg_sleep(10)", 404, ""}, {"A11", "%22%20UNION%20SELECT", 404, ""}, {"A71", "-1", 404, ""}, {"A71", "4294967297", 404, ""},
	{"A71", "99999999999999999999", 404, ""}, {"A71", "1e3", 404, ""}, {"A71", "%D9%A3", 404, ""}, {"A71", "+1", 404, ""}, {"A71", "01", 404, ""},
	{"A71", "0", 404, ""}, {"A71", "0x1", 404, ""}, {"A71", "1.0", 404, ""}, {"A24", "__proto__", 404, ""}, {"A21", "%3Cscript%3E", 404, ""},
}

// bodies are sent wherever JSON is read.
var bodies = []hostile{
	{"A27", "{}{}", 400, ""}, {"A27", "\ufeff{}", 400, ""}, {"A27", "/* */{}", 400, ""}, {"A27", "{'name':'x'}", 400, ""}, {"A27", "null", 400, ""},
	{"A27", "[]", 400, ""}, {"A27", `"x"`, 400, ""}, {"A27", "{", 400, ""}, {"A27", `{"name":}`, 400, ""}, {"A27", `{"name":"x",}`, 400, ""},
	{"A27", "true", 400, ""}, {"A27", "NaN", 400, ""}, {"A27", " ", 400, ""}, {"A27", `{"name":"x"} x`, 400, ""}, {"A27", `{"name" "x"}`, 400, ""},
	{"A20", "{\"name\":\"\xff\"}", 400, ""}, {"A20", "{\"name\":\"\xc0\xae\"}", 400, ""}, {"A20", `{"name":"\ud800"}`, 400, ""},
	{"A20", "{\"name\":\"\xed\xa0\x80\"}", 400, ""}, {"A19", `{"name":"\u0000"}`, 400, ""}, {"A19", "{\"name\":\"\x00\"}", 400, ""},
	{"A22", `{"name":"a","name":"b"}`, 400, "/name"}, {"A22", `{"name":"a","Name":"b"}`, 400, ""}, {"A22", `{"NAME":"a"}`, 400, ""},
	{"A22", `{"n\u0061me":"a","name":"b"}`, 400, "/name"}, {"A23", `{"isAdmin":true}`, 400, "/isAdmin"}, {"A23", `{"id":"key_x"}`, 400, "/id"},
	{"A23", `{"digest":"00","pepperId":"x"}`, 400, "/digest"}, {"A23", `{"createdTime":"2020-01-01T00:00:00Z"}`, 400, "/createdTime"},
	{"A23", `{"permissions":["*"]}`, 400, ""}, {"A24", `{"__proto__":{"role":"owner"}}`, 400, "/__proto__"}, {"A24", `{"constructor":1}`, 400, ""},
	{"A26", `{"x":` + times(10000, "[") + times(10000, "]") + "}", 400, ""}, {"A26", `{"metadata":` + times(64, `{"a":`) + "1" + times(64, "}") + "}", 400, ""},
	{"A26", `{"x":1e999}`, 400, ""}, {"A33", `{"name":"` + times(1<<20, "a") + `"}`, 413, "larger than"}, {"A33", times(2<<20, "["), 413, "larger than"},
	{"A30", `{"name":1}`, 400, ""}, {"A30", `{"name":[]}`, 400, ""}, {"A30", `{"name":{}}`, 400, ""}, {"A30", `{"name":null}`, 400, ""}, {"A30", `{"name":true}`, 400, ""},
}

// names are put in the name of whatever can be named.
var names = []hostile{
	{"A19", `a\u0000b`, 400, "/name"}, {"A21", `\u202egpj.exe`, 400, "/name"}, {"A21", `\u2066x`, 400, "/name"}, {"A21", `   `, 400, "/name"},
	{"A21", ``, 400, "/name"}, {"A21", times(256, "a"), 400, "/name"}, {"A21", times(300, "ä"), 400, "/name"}, {"A21", times(256, "😀"), 400, "/name"},
	{"A25", `a\nb`, 400, "/name"}, {"A25", `\u001b[31mred`, 400, "/name"}, {"A25", `\r\n{\"level\":\"info\"}`, 400, "/name"}, {"A25", `a\u007fb`, 400, "/name"},
	{"A25", `a\u0085b`, 400, "/name"}, {"A21", times(100000, "a"), 400, "/name"},
}

// keyMembers are put in bodies that make or change a key.
var hostileKeys = []hostile{
	{"A23", `"status":"active"`, 400, "/status"}, {"A23", `"recoverable":true`, 400, "/recoverable"}, {"A23", `"organizationId":"x"`, 400, "/organizationId"},
	{"A23", `"clientId":"x"`, 400, "/clientId"}, {"A23", `"number":1`, 400, "/number"}, {"A23", `"versions":[]`, 400, "/versions"},
	{"A23", `"revokedTime":null`, 400, "/revokedTime"}, {"A23", `"secret":"mine"`, 400, "/secret"}, {"A23", `"createdBy":"me"`, 400, "/createdBy"},
	{"A26", `"metadata":[]`, 400, "/metadata"}, {"A26", `"metadata":"x"`, 400, "/metadata"}, {"A26", `"metadata":1`, 400, "/metadata"},
	{"A26", `"metadata":{"a":"` + times(70000, "a") + `"}`, 400, "/metadata"}, {"A26", `"metadata":{"a":"\u0000"}`, 400, "/metadata"},
	{"A26", `"metadata":{"a":1,"a":2}`, 400, "/metadata"}, {"A30", `"enabled":"true"`, 400, "/enabled"}, {"A30", `"enabled":1`, 400, "/enabled"},
	{"A65", `"allowedIps":["10.0.0.0/33"]`, 400, "/allowedIps/0"}, {"A65", `"allowedIps":["010.0.0.1"]`, 400, "/allowedIps/0"},
	{"A65", `"allowedIps":["10.1"]`, 400, "/allowedIps/0"}, {"A65", `"allowedIps":["0x7f.1"]`, 400, "/allowedIps/0"},
	{"A65", `"allowedIps":["::1%eth0"]`, 400, "/allowedIps/0"}, {"A65", `"allowedIps":["2001:db8::/129"]`, 400, "/allowedIps/0"},
	{"A65", `"allowedIps":[" 10.0.0.0/8 "]`, 400, "/allowedIps/0"}, {"A65", `"allowedIps":["exämple.test"]`, 400, "/allowedIps/0"},
	{"A65", `"allowedIps":["10.0.0.0/08"]`, 400, "/allowedIps/0"}, {"A65", `"allowedIps":["10.0.0.0/-1"]`, 400, "/allowedIps/0"},
	{"A65", `"allowedIps":[""]`, 400, "/allowedIps/0"}, {"A65", `"allowedIps":["1.2.3.4","localhost"]`, 400, "/allowedIps/1"},
	{"A65", `"allowedIps":["*"]`, 400, "/allowedIps/0"}, {"A65", `"allowedIps":["1.2.3.4:80"]`, 400, "/allowedIps/0"}, {"A65", `"allowedIps":[null]`, 400, "/allowedIps/0"},
	{"A67", `"allowedIps":[]`, 400, "/allowedIps"}, {"A67", `"allowedIps":"10.0.0.1"`, 400, "/allowedIps"}, {"A68", `"allowedIps":[` + times(10000, `"10.0.0.1",`) + `"10.0.0.2"]`, 400, "/allowedIps"},
	{"A73", `"expireTime":"2020-01-01T00:00:00Z"`, 400, "/expireTime"}, {"A73", `"expireTime":0`, 400, "/expireTime"}, {"A73", `"expireTime":-1`, 400, "/expireTime"},
	{"A73", `"expireTime":253402300800000`, 400, "/expireTime"}, {"A73", `"expireTime":1.5`, 400, "/expireTime"}, {"A73", `"expireTime":""`, 400, "/expireTime"},
	{"A73", `"expireTime":"2016-12-31T23:59:60Z"`, 400, "/expireTime"}, {"A73", `"expireTime":"2032-02-30T00:00:00Z"`, 400, "/expireTime"},
	{"A73", `"expireTime":"2032-01-01T00:00:00"`, 400, "/expireTime"}, {"A73", `"expireTime":"10000-01-01T00:00:00Z"`, 400, "/expireTime"},
	{"A73", `"expireTime":"2032-01-01T25:00:00Z"`, 400, "/expireTime"}, {"A73", `"startTime":"0000-01-01T00:00:00Z"`, 400, "/startTime"},
	{"A73", `"startTime":"2033-01-01T00:00:00Z","expireTime":"2032-01-01T00:00:00Z"`, 400, "Time"}, {"A73", `"expireTime":"next week"`, 400, "/expireTime"},
	{"A74", `"credits":-1`, 400, "/credits"}, {"A74", `"credits":{"remaining":-1}`, 400, "/credits"}, {"A74", `"credits":{"remaining":9223372036854775808}`, 400, "/credits"},
	{"A74", `"credits":{"remaining":1.5}`, 400, "/credits"}, {"A74", `"credits":{"remaining":"5"}`, 400, "/credits"}, {"A77", `"rateLimits":[{"name":"a","limit":0,"window":"60s"}]`, 400, "/rateLimits/0"},
	{"A77", `"rateLimits":[{"name":"a","limit":1,"window":"0s"}]`, 400, "/rateLimits/0"}, {"A77", `"rateLimits":[{"name":"a","limit":-1,"window":"1s"}]`, 400, "/rateLimits/0"},
	{"A77", `"rateLimits":[{"name":"a","limit":1,"window":"876000h"}]`, 400, "/rateLimits/0"},
	{"A91", `"acl":[{"scope":{},"permissions":["a.*.b"]}]`, 400, "/acl/0/permissions/0"}, {"A91", `"acl":[{"scope":{},"permissions":["**"]}]`, 400, "/acl/0/permissions/0"},
	{"A91", `"acl":[{"scope":{},"permissions":[""]}]`, 400, "/acl/0/permissions/0"}, {"A91", `"acl":[{"permissions":["a"]}]`, 400, "/acl/0/scope"},
	{"A91", `"acl":[{"scope":{}}]`, 400, "/acl/0/permissions"}, {"A91", `"acl":{}`, 400, "/acl"}, {"A91", `"acl":[{"scope":{"a":"b"},"permissions":["x"]}]`, 400, "/acl/0/scope/a"},
	{"A91", `"management":[{"scope":{},"permissions":["operators.write"]}]`, 400, "/management/0/permissions/0"},
	{"A91", `"management":[{"scope":{},"permissions":["*"]}]`, 400, "/management/0/permissions/0"}, {"A91", `"management":[{"scope":{},"permissions":["system.read"]}]`, 400, "/management/0"},
	{"A91", `"management":[{"scope":{},"permissions":["Keys.Read"]}]`, 400, "/management/0/permissions/0"}, {"A91", `"management":[{"scope":{"region":["eu"]},"permissions":["keys.read"]}]`, 400, "/management/0/scope/region"},
	{"A93", `"projectIds":["prj_00000000000000000000000000"]`, 400, "/projectIds/0"}, {"A93", `"projectIds":[""]`, 400, "/projectIds/0"}, {"A93", `"projectIds":"x"`, 400, "/projectIds"},
	{"A95", `"projectIds":[` + times(2000, `"a",`) + `"a"]`, 400, "/projectIds"}, {"A21", `"ownerId":"a\u0000"`, 400, "/ownerId"}, {"A21", `"ownerId":"` + times(5000, "a") + `"`, 400, "/ownerId"},
}

// verifications are bodies of questions that are none.
var verifications = []hostile{
	{"A32", `{}`, 400, "/key"}, {"A32", `{"key":null}`, 400, "/key"}, {"A32", `{"key":1}`, 400, "/key"}, {"A32", `{"key":["x"]}`, 400, "/key"},
	{"A74", `{"key":"x","cost":-1}`, 400, "/cost"}, {"A74", `{"key":"x","cost":1.5}`, 400, "/cost"}, {"A74", `{"key":"x","cost":"1"}`, 400, "/cost"},
	{"A74", `{"key":"x","cost":9223372036854775808}`, 400, "/cost"}, {"A91", `{"key":"x","permissions":["*"]}`, 400, "/permissions/0"},
	{"A91", `{"key":"x","permissions":["a.*"]}`, 400, "/permissions/0"}, {"A91", `{"key":"x","permissions":[""]}`, 400, "/permissions/0"},
	{"A65", `{"key":"x","ip":"10.1"}`, 400, "/ip"}, {"A65", `{"key":"x","ip":"::1%eth0"}`, 400, "/ip"}, {"A65", `{"key":"x","ip":""}`, 400, "/ip"},
	{"A65", `{"key":"x","ip":"1.2.3.4, 5.6.7.8"}`, 400, "/ip"}, {"A65", `{"key":"x","ip":"10.0.0.0/8"}`, 400, "/ip"}, {"A23", `{"key":"x","environment":"prod"}`, 400, "/environment"},
	{"A23", `{"key":"x","scope":{"a":["b"]}}`, 400, "/scope/a"}, {"A32", `{"key":"` + times(70000, "a") + `"}`, 413, "larger than"},
}

// batches are lists of questions that are refused whole.
var batches = []hostile{
	{"A95", `{"requests":[]}`, 400, "/requests"}, {"A95", `{}`, 400, "/requests"}, {"A95", `{"requests":null}`, 400, "/requests"},
	{"A95", `{"requests":[` + times(1000, `{"key":"x"},`) + `{"key":"x"}]}`, 400, "/requests"}, {"A95", `{"requests":[{"key":"x"},{}]}`, 400, "/requests/1/key"},
	{"A95", `{"requests":[{"key":"x"},{"key":"x","cost":-1}]}`, 400, "/requests/1/cost"}, {"A95", `{"requests":[null]}`, 400, "/requests/0"},
}

// unknownKeys are texts that no key is: each is answered as not found, or refused.
func unknownKeys(real string) []string {
	texts := []string{
		" " + real, real + " ", real + "\n", "Bearer " + real, strings.ToUpper(real), strings.ToLower(real), real[:len(real)-1], real + "a",
		"ｋｗ" + real[2:], "kw_test_" + real[8:], "kwop" + real[2:], "x", "", "'", "' OR '1'='1", "1;select pg_sleep(10)", "../../etc/passwd", "e30.e30.", "e30.e30.e30",
	}
	for _, n := range []int{1, 57, 58, 59, 255, 511, 512, 513, 600, 8192, 60000} {
		texts = append(texts, times(n, "a"))
	}
	for i := range 10 {
		texts = append(texts, fmt.Sprintf("kw_live_%050d", i))
	}
	return texts
}
