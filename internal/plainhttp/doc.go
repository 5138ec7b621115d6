// Package plainhttp serves HTTP/1.1 with less work for each request than net/http, and
// with the same meaning.
//
// It reads only requests that are plain: as clients and proxies write them, with one
// reading. A connection on which anything else arrives is given to an ordinary
// http.Server, with the bytes that were read of it, for good. So there is one judge of
// what an odd request means, and requests cannot be smuggled past the difference between
// two: whatever this package is not sure of, net/http reads from its first byte.
//
// Of the plain requests, a [Quick] function answers those that it can. The others get the
// handler of the http.Server on the same connection, or their connection is given up too.
//
// A client that keeps its connection sends the same head with every request, or nearly.
// Bytes that were read once are not parsed again.
package plainhttp
