package dev.caisson.cli.network;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.container.DetachedLookup;
import dev.caisson.engine.EngineOptions;
import dev.caisson.network.NetworkException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `caisson network disconnect`: takes a container off a network, at once if it runs.
@Command(
        name = "disconnect",
        sortOptions = false,
        description = "Take a container off a network, at once if it runs, and for later starts.",
        footer = "%n  caisson network disconnect back web")
final class NetworkDisconnectCommand implements Callable<Integer> {
    @Option(
            names = {"-f", "--force"},
            description = "No error if the container is not on the network.")
    private boolean force;

    @Parameters(index = "0", paramLabel = "NETWORK", description = "A name, or the beginning of an id.")
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private String network;

    @Parameters(index = "1", paramLabel = "CONTAINER", description = "A name, or the beginning of an id.")
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private String container;

    @Override
    public Integer call() throws InterruptedException {
        EngineOptions options = Caller.current().directories();
        try {
            DetachedLookup.require(container, options).networks().disconnect(network);
        } catch (NetworkException e) {
            if (!force || e.reason() != NetworkException.Code.NOT_CONNECTED) {
                throw e;
            }
        }
        return 0;
    }
}
