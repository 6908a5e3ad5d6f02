package dev.caisson.cli.seccomp;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.seccomp.ProfileProof;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `caisson seccomp verify`: holds the compiled filter against the profile's rules. Exits with 1 where they differ.
@Command(
        name = "verify",
        description = "Compare what the compiled filter decides with what the profile's rules say, for every call.")
final class SeccompVerifyCommand implements Callable<Integer> {
    @Mixin
    private SeccompSubject subject = new SeccompSubject();

    @Override
    public Integer call() {
        ProfileProof.Result result = ProfileProof.of(subject.profile(), subject.target());
        PrintWriter out = subject.out();
        result.mismatches().forEach(mismatch -> out.println(OneLine.of(mismatch)));
        out.println(result.decisions() + " decisions compared, "
                + (result.holds() ? "all as the profile says" : "some differ"));
        return result.holds() ? 0 : 1;
    }
}
