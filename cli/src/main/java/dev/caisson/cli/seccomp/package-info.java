/// Commands for system-call profiles: compile, explain, diff, record, watch and the rest of `caisson seccomp`.
@NullMarked
package dev.caisson.cli.seccomp;

import org.jspecify.annotations.NullMarked;
