package dev.caisson.cli;

import dev.caisson.seccomp.ProfileProof;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson seccomp verify`: holds the compiled filter against the profile's rules. Exits with 1 where they differ.
@Command(
        name = "verify",
        description = "Compare what the compiled filter decides with what the profile's rules say, for every call.")
final class SeccompVerifyCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Mixin
    private SeccompTarget target = new SeccompTarget();

    @Parameters(paramLabel = "PROFILE", description = "standard, strict, or a file of Docker's or the OCI's JSON.")
    private String profile = "";

    @Override
    public Integer call() {
        ProfileProof.Result result = ProfileProof.of(SeccompOperand.profile(profile), target.target());
        PrintWriter out = spec.commandLine().getOut();
        result.mismatches().forEach(mismatch -> out.println(OneLine.of(mismatch)));
        out.println(result.decisions() + " decisions compared, "
                + (result.holds() ? "all as the profile says" : "some differ"));
        return result.holds() ? 0 : 1;
    }
}
