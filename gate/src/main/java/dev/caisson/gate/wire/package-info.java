/// Messages between the process that serves the gates of one container and whoever started it.
@org.jspecify.annotations.NullMarked
package dev.caisson.gate.wire;
