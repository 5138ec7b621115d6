package verify

import "keyward"

// Usage returns how often which answer was given about which key since it was last
// called. What is returned counts as reported; [Engine.RestoreUsage] takes that back.
func (e *Engine) Usage() []keyward.Usage { return nil }

// RestoreUsage makes counts be reported again, because they could not be written.
func (e *Engine) RestoreUsage([]keyward.Usage) {}
