package dev.caisson.network;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.NetworkEndpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// A process that gives places on a network to so many containers at once, and takes them back when it is told
/// to. It has more open files than `select(2)` takes.
final class JoiningProcess {
    static final String READY = "ready";
    static final String TAKEN_BACK = "taken back";
    static final int OPEN_FILES = 1_200;

    private JoiningProcess() {}

    /// Joins, waits for a line, and leaves.
    ///
    /// @param arguments the directory of networks, a network, and how many containers
    public static void main(String[] arguments) throws Exception {
        var files = new ArrayList<Fd>();
        for (int i = 0; i < OPEN_FILES; i++) {
            files.add(FileSystem.open("/dev/null", FileSystem.O_RDONLY));
        }
        List<ContainerId> ids = Stream.generate(ContainerId::random)
                .limit(Integer.parseInt(arguments[2]))
                .toList();
        try (Networks networks = Networks.open(Path.of(arguments[0]))) {
            tell(READY);
            List<NetworkEndpoint> places = List.of(NetworkEndpoint.on(arguments[1]));
            each(ids, id -> tell(text(networks.attach(id, "", places).getFirst())));
            tell(READY);
            each(ids, networks::release);
            System.out.println(TAKEN_BACK);
        }
        files.forEach(Fd::close);
    }

    private static String text(Attachment place) {
        return place.ip4().orElseThrow().address().getHostAddress() + " " + place.mac();
    }

    /// Says it, and waits for a line if it is ready for the next step.
    private static void tell(String line) {
        System.out.println(line);
        if (line.equals(READY)) {
            try {
                boolean _ = System.in.read() >= 0;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static void each(List<ContainerId> ids, Consumer<ContainerId> task) throws InterruptedException {
        var threads = new ArrayList<Thread>();
        for (ContainerId id : ids) {
            threads.add(Thread.ofPlatform().start(() -> task.accept(id)));
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }
}
