package dev.caisson.seccomp;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// Prints how many microseconds a JVM that has just started takes to a filter, and to all that a run does
/// with it: the look whether a program can start under it, the filter that asks, the sentence about it. It
/// is `precompiled` for Caisson's own profile, `cached` for a file that has been compiled before, anything
/// else for one that is compiled.
final class ColdFilter {
    private ColdFilter() {}

    /// Prints both times.
    /// @param arguments how, the directory of the cache, a profile in a file
    public static void main(String[] arguments) throws IOException {
        var usual = new Target(Architecture.X86_64, KernelVersion.parse("6.18"), Calls.DEFAULT_CAPABILITIES);
        String json;
        try (var in = new FileInputStream(arguments[2])) {
            json = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        try (Fd root = FileSystem.open("/", FileSystem.O_PATH)) { // as a run does before it comes to the filter
            FileSystem.status(root);
        }
        long began = System.nanoTime();
        Filter filter = switch (arguments[0]) {
            case "precompiled" -> new FilterCache(Path.of(arguments[1])).standard(usual);
            case "cached" -> new FilterCache(Path.of(arguments[1])).compile(json, usual);
            default -> Compiler.compile(Profile.parse(json), usual);
        };
        long found = System.nanoTime() - began;
        boolean starts = ProfileLint.letsTheProgramStart(filter);
        byte[] program = filter.asking().bytes();
        String summary = filter.sentence();
        long ready = System.nanoTime() - began;
        System.out.println(
                found / 1000 + " " + ready / 1000 + " " + starts + " " + program.length + " " + summary.length());
    }
}
