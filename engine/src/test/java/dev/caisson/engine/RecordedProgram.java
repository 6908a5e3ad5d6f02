package dev.caisson.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/// A Java program as [RecordedWorkloadTest] records one: threads of both kinds, garbage, files and a child
/// process.
final class RecordedProgram {
    private RecordedProgram() {}

    private static void garbage() {
        if (new byte[1 << 20].length == 0) {
            throw new IllegalStateException("an empty array of a mebibyte");
        }
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        try (var platform = Executors.newFixedThreadPool(4);
                var virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int task = 0; task < 200; task++) {
                (task % 2 == 0 ? platform : virtual).execute(RecordedProgram::garbage);
            }
        }
        Path file = Files.createTempFile("recorded", ".txt");
        Files.write(file, IntStream.range(0, 10_000).mapToObj(Integer::toString).toList());
        List<String> lines = Files.readAllLines(file);
        Files.delete(file);
        System.gc();
        int status = new ProcessBuilder("/bin/true").start().waitFor();
        if (status != 0 || lines.size() != 10_000) {
            throw new IllegalStateException(status + " " + lines.size());
        }
    }
}
