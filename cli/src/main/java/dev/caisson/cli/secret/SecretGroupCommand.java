package dev.caisson.cli.secret;

import dev.caisson.cli.caller.CommandException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// `caisson secret`: the group of the commands for secrets.
@Command(
        name = "secret",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Keep secrets in an encrypted store, whose files 'age -d' reads too.",
        footer = {
            "%n  caisson secret init --key-file /mnt/usb/caisson.key",
            "  pass show db | caisson secret create db-password -",
            "  caisson secret create --generate session-key"
        })
public final class SecretGroupCommand implements Runnable {
    /// Returns it with its commands.
    public static CommandLine line() {
        return new CommandLine(new SecretGroupCommand())
                .addSubcommand("init", new SecretInitCommand())
                .addSubcommand("create", new SecretCreateCommand())
                .addSubcommand("ls", new SecretListCommand())
                .addSubcommand("inspect", new SecretInspectCommand())
                .addSubcommand("rotate", new SecretRotateCommand())
                .addSubcommand("versions", new SecretVersionsCommand())
                .addSubcommand("rollback", new SecretRollbackCommand())
                .addSubcommand("log", new SecretLogCommand())
                .addSubcommand("access", new SecretAccessCommand())
                .addSubcommand("rm", new SecretRemoveCommand())
                .addSubcommand("revoke", new SecretRevokeCommand())
                .addSubcommand("unlock", new SecretUnlockCommand())
                .addSubcommand("lock", new SecretLockCommand())
                .addSubcommand("rekey", new SecretRekeyCommand())
                .addSubcommand("canary", new SecretCanaryCommand());
    }

    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson secret --help'");
    }
}
