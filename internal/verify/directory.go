package verify

import "sync/atomic"

// directory leads from small numbers to things, so that a record without pointers can
// name them. Any number of goroutines may look; adding and removing needs the mutating
// side's mutex. The zero value is empty.
type directory[T any] struct {
	places atomic.Pointer[[]atomic.Pointer[T]]

	// The mutating side's own.
	vacant []uint32 // places to be used again
	length uint32   // all places up to here are, or were, taken
}

// refToPlace is how a table names a place of a directory.
func refToPlace(i uint32) reference { return reference(i) + 1 }

func (ref reference) place() uint32 { return uint32(ref - 1) }

// at returns the thing with a number that was added and not removed.
func (d *directory[T]) at(i uint32) *T { return (*d.places.Load())[i].Load() }

// add gives a thing a number.
func (d *directory[T]) add(thing *T) uint32 {
	i := d.length
	if last := len(d.vacant) - 1; last >= 0 {
		i, d.vacant = d.vacant[last], d.vacant[:last]
	} else {
		d.length++
	}
	places := d.places.Load()
	if places == nil || int(i) == len(*places) {
		places = grown(places)
		d.places.Store(places)
	}
	(*places)[i].Store(thing)
	return i
}

// remove gives a number back. Nobody may be there any more who could look for it.
func (d *directory[T]) remove(i uint32) {
	(*d.places.Load())[i].Store(nil)
	d.vacant = append(d.vacant, i)
}

// grown returns a copy of places, of which there may be none, with room for more.
func grown[T any](places *[]atomic.Pointer[T]) *[]atomic.Pointer[T] {
	if places == nil {
		made := make([]atomic.Pointer[T], 4)
		return &made
	}
	made := make([]atomic.Pointer[T], 2*len(*places))
	for i := range *places {
		made[i].Store((*places)[i].Load())
	}
	return &made
}
