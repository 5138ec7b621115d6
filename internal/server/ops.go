package server

import (
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"keyward"
	"keyward/internal/verify"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what the server counts. No label holds anything that a stranger chose.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(engine *verify.Engine) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "keyward_http_request_duration_seconds", Help: "Time to answer a request, by route and status.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"route", "status"}),
	}
	m.registry.MustRegister(m.requests, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &replicaCollector{engine})
	return m
}

// observe counts an answered request. The route is a pattern, or "" for none.
func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// replicaCollector reads the engine when metrics are asked for.
type replicaCollector struct{ engine *verify.Engine }

var (
	verificationsDesc = prometheus.NewDesc("keyward_verifications_total", "Verifications answered, by code.", []string{"code"}, nil)
	appliedDesc       = prometheus.NewDesc("keyward_replica_applied_seq", "The newest change that answers take into account.", nil, nil)
	sizeDesc          = prometheus.NewDesc("keyward_replica_size", "Things that the replica holds.", []string{"kind"}, nil)
)

// Describe implements [prometheus.Collector].
func (c *replicaCollector) Describe(out chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, out)
}

// Collect implements [prometheus.Collector].
func (c *replicaCollector) Collect(out chan<- prometheus.Metric) {
	for _, reason := range keyward.Reasons() {
		out <- prometheus.MustNewConstMetric(verificationsDesc, prometheus.CounterValue,
			float64(c.engine.Answered(reason)), reason.String())
	}
	out <- prometheus.MustNewConstMetric(appliedDesc, prometheus.GaugeValue, float64(c.engine.Applied()))
	organizations, keys, operators := c.engine.Size()
	for kind, n := range map[string]int{"organization": organizations, "key": keys, "operator": operators} {
		out <- prometheus.MustNewConstMetric(sizeDesc, prometheus.GaugeValue, float64(n), kind)
	}
}

// opsHandler serves machines: metrics and profiles.
func (s *Server) opsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{ErrorLog: errorLog(s.config.Log)}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
