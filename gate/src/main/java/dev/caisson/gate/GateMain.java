package dev.caisson.gate;

import dev.caisson.error.ArgumentException;
import dev.caisson.gate.wire.Settings;
import dev.caisson.gate.wire.SharedValues;
import dev.caisson.gate.wire.ToProcess;
import dev.caisson.gate.wire.ToStarter;
import dev.caisson.linux.DescriptorServerSocket;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.OwnProcess;
import dev.caisson.linux.Sockets;
import dev.caisson.secret.SecretValue;
import java.io.IOException;
import java.net.ProtocolException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/// The process that serves the gates of one container and has their values, and nothing else. Descriptor 3 is a socket
/// to whoever started it, with whom it ends.
final class GateMain {
    private static final int SOCKET = 3;

    private final Fd socket = new Fd(SOCKET);
    private final StarterRequests requests = new StarterRequests(socket);
    private @Nullable GateServer server;
    private List<dev.caisson.spec.Gate> gates = List.of();

    private GateMain() {}

    /// Serves until the starter ends. What else runs are threads that do not keep the JVM.
    public static void main(String[] arguments) {
        var gates = new GateMain();
        try {
            OwnProcess.hide();
            gates.serve();
        } catch (IOException | RuntimeException | Error e) {
            gates.requests.say(new ToStarter.Failed(e.toString()));
        }
    }

    private void serve() throws IOException {
        while (true) {
            try (Sockets.Message message = Sockets.receive(socket, ToProcess.MOST_BYTES, ToProcess.MOST_DESCRIPTORS)) {
                if (message.isEnd()) {
                    return;
                }
                take(ToProcess.read(message.bytes()), message.descriptors());
            }
        }
    }

    private void take(ToProcess message, List<Fd> descriptors) throws IOException {
        switch (message) {
            case ToProcess.Confine confine -> {
                GateWarmUp.run();
                OwnProcess.filterAllThreads(confine.filter());
                requests.say(new ToStarter.Ready());
            }
            case ToProcess.Open open -> requests.say(attempt(() -> open(open.ports(), descriptors)));
            case ToProcess.Replace _ -> requests.say(attempt(() -> replace(descriptors.getFirst())));
            case ToProcess.Allowed _, ToProcess.Found _ -> requests.answer(message, List.of());
            case ToProcess.Connected _ -> requests.answer(message, descriptors);
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static ToStarter attempt(Work work) {
        try {
            work.run();
            return new ToStarter.Done();
        } catch (ArgumentException e) {
            return new ToStarter.Failed(e.sentence());
        } catch (IOException | RuntimeException e) {
            return new ToStarter.Failed(e.toString());
        }
    }

    /// @param descriptors the settings, the values, and a socket for each port
    private void open(List<Integer> ports, List<Fd> descriptors) throws IOException {
        if (server != null || descriptors.size() != ports.size() + 2) {
            throw new IOException("the gates are open, or a descriptor is missing");
        }
        Settings settings = settings(descriptors.get(0));
        gates = settings.gates();
        requests.name(gates);
        var sockets = new HashMap<Integer, ServerSocket>();
        for (int i = 0; i < ports.size(); i++) {
            sockets.put(
                    ports.get(i),
                    new DescriptorServerSocket(new Fd(descriptors.get(i + 2).release())));
        }
        SSLContext trust = settings.bundle().isPresent()
                ? HostTrust.context(settings.bundle().get(), "the host")
                : HostTrust.ofJvm();
        server = GateServer.open(
                settings.container()::equals,
                Authority.parse(settings.authority()),
                valued(descriptors.get(1)),
                trust,
                requests,
                requests,
                Guest.Patience.of(settings.patience()),
                requests.network(Map.copyOf(sockets)));
    }

    private static Settings settings(Fd file) throws ProtocolException {
        return Settings.read(FileSystem.read(file, Settings.MOST_BYTES));
    }

    private void replace(Fd values) throws IOException {
        GateServer open = server;
        if (open == null) {
            throw new IOException("no gates are open");
        }
        open.replace(valued(values));
    }

    private List<GateServer.Valued> valued(Fd file) throws ProtocolException {
        List<SecretValue> values = SharedValues.take(file);
        var valued = new ArrayList<GateServer.Valued>();
        for (int i = 0; i < Math.min(values.size(), gates.size()); i++) {
            valued.add(new GateServer.Valued(gates.get(i), values.get(i)));
        }
        return valued;
    }
}
