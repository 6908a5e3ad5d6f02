package dev.caisson.engine;

import dev.caisson.image.Image;
import dev.caisson.image.ProgressListener;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.SeccompChoice.Standard;
import dev.caisson.spec.SeccompChoice.Watch;
import dev.caisson.spec.SeccompChoice.Watched;
import dev.caisson.watch.SyscallRecorder;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/// Prints what a system call costs under a filter that denies by itself, one that asks the engine, a
/// recording, and strace(1) where it is installed: `benchmarks/filters` runs it. Needs root, gcc and Debian's
/// busybox-static; a directory to work in is its argument.
final class SyscallBenchmark {
    private SyscallBenchmark() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        PrintStream out = System.out;
        Path directory = Files.createTempDirectory(Path.of(arguments[0]), "syscalls");
        Path root = BusyboxEngine.makeRoot(directory.resolve("root"));
        Path program = root.resolve("bin/attack");
        Path source = directory.resolve("attack.c");
        try (InputStream stream = Objects.requireNonNull(SyscallBenchmark.class.getResourceAsStream("attack.c"))) {
            Files.write(source, stream.readAllBytes());
        }
        run("gcc", "-static", "-O1", "-pthread", "-o", program.toString(), source.toString());
        var options = new EngineOptions(directory.resolve("state"), directory.resolve("data"));
        out.println("load average " + Files.readString(Path.of("/proc/loadavg")).strip());
        out.println("| | getppid, allowed, ns | mount, denied, ns |");
        out.println("|---|--:|--:|");
        out.println("| no filter | " + cost(run(program.toString(), "cost", "getppid")) + " | |");
        try (Engine engine = Engine.open(options)) {
            out.println(row("filter", engine, root, new Standard(), false));
            out.println(
                    row("filter, denied calls are told", engine, root, new Watched(new Standard(), Watch.TELL), false));
            out.println(row("filter, recorded", engine, root, new Standard(), true));
            var asking = new Watched(new Standard(), Watch.RECORD);
            out.println(row("filter, recorded by notification", engine, root, asking, false));
        }
        if (Files.isExecutable(Path.of("/usr/bin/strace"))) {
            out.println("| strace -f | "
                    + cost(run("strace", "-f", "-o", "/dev/null", program.toString(), "cost", "getppid"))
                    + " | |");
        }
        BusyboxEngine.removeTree(directory);
    }

    private static String row(String name, Engine engine, Path root, SeccompChoice choice, boolean recorded)
            throws InterruptedException {
        return "| " + name + " | " + cost(engine, root, choice, "getppid", recorded) + " | "
                + cost(engine, root, choice, "mount", recorded) + " |";
    }

    private static long cost(Engine engine, Path root, SeccompChoice choice, String call, boolean recorded)
            throws InterruptedException {
        ContainerSpec spec =
                ContainerSpec.of(Image.directory(root), "attack", "cost", call).seccomp(choice);
        var opened = new java.util.ArrayList<SyscallRecorder>();
        try {
            Container container = engine.start(spec, Streams.capture(), ProgressListener.none(), standing -> {
                if (recorded) {
                    opened.add(Recordings.ofStanding(standing));
                }
            });
            return cost(container.await().stdout());
        } finally {
            opened.forEach(SyscallRecorder::close);
        }
    }

    private static long cost(String said) {
        return Long.parseLong(said.strip().split(" ", -1)[1]);
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(List.of(command))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command[0] + " failed");
        }
        return output;
    }
}
