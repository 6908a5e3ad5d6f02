/// Commands about this installation: version, info, system df, selftest.
@NullMarked
package dev.caisson.cli.system;

import org.jspecify.annotations.NullMarked;
