import org.jspecify.annotations.NullMarked;

/// Measures what docs/SPECIFICATION.md promises of speed and memory, beside other runtimes. No part of
/// the product.
@NullMarked
module dev.caisson.benchmarks {
    requires dev.caisson.cgroup;
    requires dev.caisson.engine;
    requires dev.caisson.linux;
    requires dev.caisson.secret;
    requires dev.caisson.text;
    requires io.avaje.json;
    requires jmh.core;
    requires static org.jspecify;
}
