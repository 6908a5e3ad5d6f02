/// `caisson stats`: figures on a live screen, as JSON, and for Prometheus.
@NullMarked
package dev.caisson.cli.stats;

import org.jspecify.annotations.NullMarked;
