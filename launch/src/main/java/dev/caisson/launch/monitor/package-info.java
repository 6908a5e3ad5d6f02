/// The client of a monitor, the process that keeps one container from create to remove: `native/monitor.h`.
@NullMarked
package dev.caisson.launch.monitor;

import org.jspecify.annotations.NullMarked;
