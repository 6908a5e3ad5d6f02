package dev.caisson.cli.build;

import dev.caisson.build.SecretSource;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.linux.ByteText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The values of `--secret`.
final class SecretOptions {
    private SecretOptions() {}

    static Map<String, SecretSource> parse(List<String> texts) {
        var secrets = new LinkedHashMap<String, SecretSource>();
        for (String text : texts) {
            Map<String, String> fields = fields(text);
            String id = fields.getOrDefault("id", "");
            String file = fields.getOrDefault("src", fields.getOrDefault("source", ""));
            String variable = fields.getOrDefault("env", "");
            if (id.isEmpty() || file.isEmpty() == variable.isEmpty()) {
                throw bad();
            }
            SecretSource source = file.isEmpty()
                    ? new SecretSource.Content(ByteText.bytes(variable(variable)))
                    : new SecretSource.File(Caller.current().path(file), file);
            if (secrets.put(id, source) != null) {
                throw CommandException.usage("--secret has the id " + id + " twice");
            }
        }
        return secrets;
    }

    private static Map<String, String> fields(String text) {
        var fields = new LinkedHashMap<String, String>();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            String key = equals < 0 ? "" : part.substring(0, equals);
            boolean isFile = key.equals("type") && part.equals("type=file");
            if (!isFile && !List.of("id", "src", "source", "env").contains(key)) {
                throw bad();
            }
            fields.put(key, part.substring(equals + 1));
        }
        return fields;
    }

    private static String variable(String name) {
        return Caller.current()
                .variable(name)
                .orElseThrow(
                        () -> CommandException.usage("--secret names the variable " + name + ", which is not set"));
    }

    private static CommandException bad() {
        return CommandException.usage("--secret is id=ID,src=FILE or id=ID,env=VARIABLE");
    }
}
