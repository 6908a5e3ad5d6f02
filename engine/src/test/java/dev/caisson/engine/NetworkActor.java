package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/// A process that does to a container and its networks what it reads from its standard input, an act in a line, and
/// answers with "ok" or the code of the error.
final class NetworkActor {
    static final String BOX = "box";
    static final String FRONT = "front";
    static final String SIDE = "side";
    private static final String AWAY = "box-away";
    private static final int SIGKILL = 9;

    private final Engine engine;
    private final EngineOptions options;

    private NetworkActor(Engine engine, EngineOptions options) {
        this.engine = engine;
        this.options = options;
    }

    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        try (Engine engine = Engine.open(options);
                var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            var actor = new NetworkActor(engine, options);
            System.out.println(EngineProcess.OPENED);
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println(actor.outcome(NetworkModel.Act.valueOf(line)));
            }
        }
    }

    private String outcome(NetworkModel.Act act) throws InterruptedException {
        try {
            act(act);
            return NetworkModel.OK;
        } catch (CaissonException e) {
            if (!NetworkModel.isExpected(e.code())) {
                e.printStackTrace();
            }
            return e.code();
        } catch (RuntimeException | Error e) {
            e.printStackTrace();
            return e.toString();
        }
    }

    private void act(NetworkModel.Act act) throws InterruptedException {
        switch (act) {
            case MAKE -> networks(all -> all.create(NetworkSpec.of(SIDE)));
            case DROP -> networks(all -> all.remove(SIDE));
            case CREATE ->
                engine.create(
                        ContainerSpec.onHost("sleep", "1000")
                                .name(BOX)
                                .network(Network.on(FRONT).and(NetworkEndpoint.on(SIDE))),
                        DetachedOptions.STANDARD);
            case START -> box(BOX).start();
            case STOP -> box(BOX).stop(OptionalInt.of(SIGKILL), Optional.of(Duration.ofSeconds(20)));
            case CONNECT -> box(BOX).networks().connect(NetworkEndpoint.on(SIDE));
            case DISCONNECT -> box(BOX).networks().disconnect(SIDE);
            case RENAME_AND_BACK -> {
                box(BOX).rename(AWAY);
                box(AWAY).rename(BOX);
            }
            case REMOVE -> box(BOX).remove(true);
        }
    }

    private DetachedContainer box(String name) {
        return DetachedContainer.find(name, options)
                .orElseThrow(() -> new EngineException(NetworkModel.UNKNOWN, "no container " + name));
    }

    private void networks(Consumer<Networks> use) {
        try (Networks networks = HostNetworks.open(options)) {
            use.accept(networks);
        }
    }
}
