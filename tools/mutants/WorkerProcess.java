import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The process that runs tests: started when it is needed, and ended when a mistake hangs it or leaves something behind.
final class WorkerProcess implements AutoCloseable {
    private final House house;
    private final Path scratch;
    private final List<String> arguments;
    private Process process;
    private BlockingQueue<String> answers;

    /// @param arguments of [Worker], behind the paths
    WorkerProcess(House house, Path scratch, List<String> arguments) {
        this.house = house;
        this.scratch = scratch;
        this.arguments = arguments;
    }

    private void start() throws IOException {
        String classPath = System.getProperty("java.class.path");
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", classPath, "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
                "-Djava.util.logging.config.file=" + house.root() + "/tools/test-logging.properties",
                "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
                "-XX:-UsePerfData", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g", "-Dcaisson.root=" + house.root(),
                "Worker", house.root().toString(), scratch.toString()));
        command.addAll(arguments);
        process = new ProcessBuilder(command)
                .directory(house.root().resolve(house.top()).toFile())
                .redirectError(ProcessBuilder.Redirect.appendTo(scratch.resolve("worker.log").toFile()))
                .start();
        var queue = new LinkedBlockingQueue<String>();
        BufferedReader reader = process.inputReader();
        Thread.ofVirtual().start(() -> {
            try {
                reader.lines().forEach(queue::add);
            } catch (UncheckedIOException e) {
                // it was ended
            }
        });
        answers = queue;
    }

    /// @return null if there was no answer in time
    String ask(String question, long millis) throws Exception {
        if (process == null || !process.isAlive()) {
            start();
        }
        process.outputWriter().write(question + "\n");
        process.outputWriter().flush();
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        String answer = null;
        while (answer == null && System.nanoTime() < end) {
            answer = answers.poll(200, TimeUnit.MILLISECONDS);
            if (answer == null && !process.isAlive()) {
                answer = answers.poll(200, TimeUnit.MILLISECONDS);
                break;
            }
        }
        if (answer == null || answer.endsWith(Worker.DIRTY)) {
            close();
        }
        return answer == null ? null : answer.replace(Worker.DIRTY, "");
    }

    @Override
    public void close() throws Exception {
        if (process != null) {
            List<ProcessHandle> descendants = process.descendants().toList();
            process.destroyForcibly().waitFor();
            descendants.forEach(ProcessHandle::destroyForcibly);
            removeGroups();
        }
    }

    /// Groups of state directories below /run, which is this tool's own: their names begin with its device.
    private static void removeGroups() throws IOException {
        long device = ((Number) Files.getAttribute(Path.of("/run"), "unix:dev")).longValue();
        long minor = (device & 0xff) | ((device >> 12) & 0xfff00);
        String prefix = "caisson-" + Long.toHexString((((device >> 8) & 0xfff) << 32) | minor) + "-";
        for (int attempt = 0; attempt < 20; attempt++) {
            var left = new ArrayList<Path>();
            for (Path top : list(Path.of("/sys/fs/cgroup"))) {
                left.addAll(list(top).stream().filter(group -> group.getFileName().toString().startsWith(prefix)).toList());
                if (top.getFileName().toString().startsWith(prefix)) {
                    left.add(top);
                }
            }
            if (left.isEmpty()) {
                return;
            }
            left.forEach(WorkerProcess::removeGroup);
        }
    }

    private static void removeGroup(Path group) {
        for (Path inner : list(group)) {
            if (Files.isDirectory(inner)) {
                removeGroup(inner);
            }
        }
        group.toFile().delete();
    }

    private static List<Path> list(Path directory) {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.toList();
        } catch (IOException e) {
            return List.of();
        }
    }
}
