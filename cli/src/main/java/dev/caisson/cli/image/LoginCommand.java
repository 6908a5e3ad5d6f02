package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson login`: keeps a login for a registry, once the registry has taken it.
@Command(
        name = "login",
        sortOptions = false,
        description = "Log in to a registry: keep a user and password that it takes.",
        footer = {
            "%nThey are kept in Docker's config.json (DOCKER_CONFIG, else ~/.docker), which only its owner may read, or",
            "by the credential helper that it names. A password is asked for or read from standard input, and never",
            "given as an argument, which every user of the machine can read.",
            "%n  caisson login registry.example.org",
            "  pass show registry | caisson login -u me --password-stdin registry.example.org"
        })
public final class LoginCommand implements Callable<Integer> {
    private static final int LONGEST = 64 << 10;
    private static final int FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-u", "--username"},
            paramLabel = "USER",
            description = "User (default: asked for).")
    private @Nullable String user;

    @Option(names = "--password-stdin", description = "Read the password from standard input.")
    private boolean fromInput;

    @Option(
            names = {"-p", "--password"},
            paramLabel = "PASSWORD",
            hidden = true,
            description = "Refused: use --password-stdin.")
    private @Nullable String refused;

    @Parameters(
            arity = "0..1",
            paramLabel = "REGISTRY",
            defaultValue = "docker.io",
            description = "HOST[:PORT] (default: docker.io).")
    private String registry = "docker.io";

    @Override
    public Integer call() {
        if (refused != null) {
            throw CommandException.refused(
                    "--password",
                    "every user of this machine can read the arguments of a program: pipe the password in with"
                            + " --password-stdin, or leave it out to be asked for it");
        }
        if (fromInput && user == null) {
            throw CommandException.usage("--password-stdin needs a user: give it with -u");
        }
        Path file = Pulls.loginFile()
                .orElseThrow(() -> CommandException.usage("neither DOCKER_CONFIG nor HOME is set, one of which says"
                        + " where logins are kept: set one"));
        String name = user == null ? asked("Username: ", false) : user;
        if (name.isEmpty() || name.indexOf(':') >= 0) {
            throw CommandException.usage("a user has a name, and no colon in it: " + OneLine.of(name));
        }
        String password = fromInput ? piped() : asked("Password: ", true);
        if (password.isEmpty()) {
            throw CommandException.usage("the password is empty: give one");
        }
        Optional<String> helper = Pulls.logins().login(host(registry), name, password);
        PrintWriter err = spec.commandLine().getErr();
        if (helper.isEmpty()) {
            err.println("WARNING! Your password is stored unencrypted in " + OneLine.of(file.toString())
                    + ": name a credential helper there as credsStore");
            err.flush();
        }
        spec.commandLine().getOut().println("Login Succeeded");
        return 0;
    }

    /// Returns the registry of an address as Docker's users write it: `https://HOST/` is `HOST`.
    static String host(String registry) {
        String bare = registry.replaceFirst("^https?://", "").replaceFirst("/.*$", "");
        return bare.equals("index.docker.io") || bare.equals("registry-1.docker.io") ? "docker.io" : bare;
    }

    private static String piped() {
        String text = read(Caller.current().input());
        return text.endsWith("\r\n")
                ? text.substring(0, text.length() - 2)
                : text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    }

    private String asked(String question, boolean isSecret) {
        Fd terminal = Caller.current().descriptor(0);
        if (!Terminal.isTerminal(terminal)) {
            throw new CommandException(
                    "INPUT_TERMINAL",
                    FAILED,
                    "there is no terminal to ask for user and password: give -u, and the password with --password-stdin");
        }
        PrintWriter err = spec.commandLine().getErr();
        err.print(question);
        err.flush();
        Optional<Terminal.Mode> before = isSecret ? Optional.of(Terminal.hideInput(terminal)) : Optional.empty();
        try {
            return line(Caller.current().input());
        } finally {
            before.ifPresent(mode -> {
                Terminal.restore(terminal, mode);
                err.println();
                err.flush();
            });
        }
    }

    private static String line(InputStream in) {
        var line = new ByteArrayOutputStream();
        try {
            for (int b = in.read(); b >= 0 && b != '\n' && line.size() < LONGEST; b = in.read()) {
                line.write(b);
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
        return line.toString(StandardCharsets.UTF_8).replaceFirst("\r$", "");
    }

    private static String read(InputStream in) {
        try {
            return new String(in.readNBytes(LONGEST), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private static CommandException unreadable(IOException e) {
        return new CommandException(
                "FILE_NOT_READ", FAILED, "standard input cannot be read: " + e.getMessage() + "; try again", e);
    }
}
