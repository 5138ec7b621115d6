//go:build !race

package server

// poolLoss is what pools lose: nothing.
const poolLoss = 0
