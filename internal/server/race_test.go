//go:build race

package server

// poolLoss is what pools lose under the race detector, which has them forget on purpose.
const poolLoss = 10
