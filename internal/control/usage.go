package control

import "time"

// usageLife is how long usage is kept.
const usageLife = 400 * 24 * time.Hour
