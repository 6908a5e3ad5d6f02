/// Words that several commands print or read alike: denied system calls, ends of runs, sizes, times, JSON.
@NullMarked
package dev.caisson.cli.text;

import org.jspecify.annotations.NullMarked;
