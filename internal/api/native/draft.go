package native

// draft is a question as it is read at a glance, with what it points to, to be used
// again and again.
type draft struct {
	question
	key, ip string
	cost    int64
	seen    uint // members that were there
	scope   map[string]string
}

// The members of a question, as they are seen.
const (
	seenKey = 1 << iota
	seenOrganization
	seenEnvironment
	seenPermissions
	seenScope
	seenIP
	seenCost
	seenExplain
	seenDryRun
)

// reset forgets the question, but not the space that it took.
func (d *draft) reset() {
	clear(d.Permissions)
	clear(d.scope)
	*d = draft{question: question{Permissions: d.Permissions[:0]}, scope: d.scope}
}

// first notes a member and reports whether it was not there before.
func (d *draft) first(member uint) bool {
	before := d.seen
	d.seen |= member
	return before&member == 0
}

// read reads a question, and reports whether it is plain.
func (d *draft) read(g *glance) bool {
	return g.object(func(name string) bool { return d.member(g, name) })
}

func (d *draft) member(g *glance, name string) (ok bool) {
	switch name {
	case "key":
		d.Key = &d.key
		d.key, ok = g.str()
		return ok && d.first(seenKey)
	case "organizationId":
		return g.chosen(&d.OrganizationID) && d.first(seenOrganization)
	case "environment":
		return g.chosen(&d.Environment) && d.first(seenEnvironment)
	case "permissions":
		return d.first(seenPermissions) && (g.word("null") || d.readPermissions(g))
	case "scope":
		return d.first(seenScope) && d.readScope(g)
	case "ip":
		return d.first(seenIP) && (g.word("null") || d.readIP(g))
	case "cost":
		return d.first(seenCost) && (g.word("null") || d.readCost(g))
	case "explain":
		d.Explain, ok = g.boolean()
		return ok && d.first(seenExplain)
	case "dryRun":
		d.DryRun, ok = g.boolean()
		return ok && d.first(seenDryRun)
	}
	return false
}

// chosen reads a text that is not empty.
func (g *glance) chosen(into *chosen) bool {
	text, ok := g.str()
	*into = chosen(text)
	return ok && text != ""
}

func (d *draft) readPermissions(g *glance) bool {
	return g.array(func() bool {
		text, ok := g.str()
		d.Permissions = append(d.Permissions, text)
		return ok
	})
}

func (d *draft) readScope(g *glance) bool {
	if d.scope == nil {
		d.scope = make(map[string]string)
	}
	d.Scope = d.scope
	return g.object(func(name string) bool {
		text, ok := g.str()
		_, twice := d.scope[name]
		d.scope[name] = text
		return ok && !twice
	})
}

func (d *draft) readIP(g *glance) (ok bool) {
	d.IP = &d.ip
	d.ip, ok = g.str()
	return ok
}

func (d *draft) readCost(g *glance) (ok bool) {
	d.Cost = &d.cost
	d.cost, ok = g.integer()
	return ok
}
