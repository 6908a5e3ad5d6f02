/// Commands that show containers: ps, inspect, logs, events, top, verify; and their filters.
@NullMarked
package dev.caisson.cli.view;

import org.jspecify.annotations.NullMarked;
