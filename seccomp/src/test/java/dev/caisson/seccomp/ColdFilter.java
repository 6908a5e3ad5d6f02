package dev.caisson.seccomp;

import java.io.IOException;
import java.nio.file.Path;

/// Prints how many microseconds the first filter of a JVM takes: one that the build has compiled, then one out of the
/// disk cache, then one that is compiled.
final class ColdFilter {
    private ColdFilter() {}

    public static void main(String[] arguments) throws IOException {
        var usual = new Target(Architecture.X86_64, KernelVersion.parse("6.18"), Calls.DEFAULT_CAPABILITIES);
        var cache = new FilterCache(Path.of(arguments[1]));
        long began = System.nanoTime();
        Filter filter = switch (arguments[0]) {
            case "precompiled" -> cache.standard(usual);
            case "cached" -> cache.standard(new Target(Architecture.X86_64, usual.kernel(), 1L));
            default -> Compiler.compile(Profile.standard(), usual);
        };
        String summary = filter.summary().toString();
        long took = System.nanoTime() - began;
        System.out.println(took / 1000 + " " + filter.length() + " " + summary.length());
    }
}
