package dev.caisson.cli.seccomp;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.seccomp.Compiler;
import dev.caisson.seccomp.Filter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `caisson seccomp compile`: a profile as the program that the kernel loads.
@Command(name = "compile", description = "Compile a profile to a classic BPF program.")
final class SeccompCompileCommand implements Callable<Integer> {
    @Mixin
    private SeccompSubject subject = new SeccompSubject();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Write the program there, an array of struct sock_filter.")
    private @Nullable Path output;

    @Override
    public Integer call() {
        Filter filter = Compiler.compile(subject.profile(), subject.target());
        PrintWriter out = subject.out();
        out.println(filter.length() + " instructions for " + filter.architecture() + ", sha256 " + filter.sha256());
        out.println(filter.summary());
        out.println(filter.cacheableCalls() + " calls are decided by the kernel's bitmap");
        filter.summary().unknownNames().forEach(name -> out.println("no call of any ABI: " + OneLine.of(name)));
        if (output != null) {
            try {
                Files.write(output, filter.bytes());
            } catch (IOException e) {
                throw new CommandException(
                        "FILE_REFUSED",
                        CommandException.ENGINE_FAILED,
                        output + " cannot be written (" + e.getMessage() + ")");
            }
        }
        return 0;
    }
}
