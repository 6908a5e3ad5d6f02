package dev.caisson.cli.image;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson logout`: forgets a login.
@Command(
        name = "logout",
        sortOptions = false,
        description = "Log out of a registry: forget its user and password.",
        footer = "%n  caisson logout registry.example.org")
public final class LogoutCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(
            arity = "0..1",
            paramLabel = "REGISTRY",
            defaultValue = "docker.io",
            description = "HOST[:PORT] (default: docker.io).")
    private String registry = "docker.io";

    @Override
    public Integer call() {
        String host = LoginCommand.host(registry);
        boolean had = Pulls.loginFile().isPresent() && Pulls.logins().logout(host);
        spec.commandLine()
                .getOut()
                .println(had ? "Removing login credentials for " + host : "Not logged in to " + host);
        return 0;
    }
}
