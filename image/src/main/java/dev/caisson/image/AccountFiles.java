package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.UserSpec.Who;
import dev.caisson.text.Quoted;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// The accounts of an image: its passwd(5) and group(5) files, of which the first line that fits counts, as in libc.
/// Lines of another shape are passed over; a line that fits and has no usable id is an error, never "root".
final class AccountFiles {
    private static final Pattern ID = Pattern.compile("0|[1-9][0-9]{0,9}");

    private final List<String[]> users;
    private final List<String[]> groups;

    AccountFiles(byte[] passwd, byte[] group) {
        users = lines(passwd, 7);
        groups = lines(group, 4);
    }

    private static List<String[]> lines(byte[] file, int fields) {
        var lines = new ArrayList<String[]>();
        for (String line : new String(file, StandardCharsets.UTF_8).split("\n", -1)) {
            String[] parts = line.split(":", -1);
            if (parts.length == fields) {
                lines.add(parts);
            }
        }
        return lines;
    }

    Account resolve(UserSpec spec) {
        Optional<String[]> user = user(spec.user());
        int uid = spec.user() instanceof Who.Id(int id) ? id : id(user.orElseThrow(), 2, "/etc/passwd");
        String home = user.map(line -> line[5]).filter(AccountFiles::isUsable).orElse("/");
        if (spec.group().isPresent()) {
            return new Account(uid, group(spec.group().orElseThrow()), List.of(), home);
        }
        if (user.isEmpty()) {
            return new Account(uid, 0, List.of(), home);
        }
        String[] line = user.orElseThrow();
        return new Account(uid, id(line, 3, "/etc/passwd"), supplementary(line[0]), home);
    }

    private Optional<String[]> user(Who who) {
        return switch (who) {
            case Who.Name(String name) -> {
                Optional<String[]> line = first(users, 0, name);
                if (line.isEmpty()) {
                    throw new ImageException(
                            Code.UNKNOWN_USER,
                            "the image's /etc/passwd has no user " + Quoted.of(name) + "; give its number instead");
                }
                yield line;
            }
            case Who.Id(int id) -> {
                refuseNamedAs(users, id, "user", "/etc/passwd");
                yield first(users, 2, Integer.toString(id));
            }
        };
    }

    private int group(Who who) {
        return switch (who) {
            case Who.Name(String name) -> {
                Optional<String[]> line = first(groups, 0, name);
                if (line.isEmpty()) {
                    throw new ImageException(
                            Code.UNKNOWN_GROUP,
                            "the image's /etc/group has no group " + Quoted.of(name) + "; give its number instead");
                }
                yield id(line.orElseThrow(), 2, "/etc/group");
            }
            case Who.Id(int id) -> {
                refuseNamedAs(groups, id, "group", "/etc/group");
                yield id;
            }
        };
    }

    /// Other programs would take `1000` for the account that is named so; who means which cannot be known.
    private static void refuseNamedAs(List<String[]> lines, int id, String kind, String file) {
        String number = Integer.toString(id);
        Optional<String[]> named = first(lines, 0, number);
        if (named.isPresent() && !named.orElseThrow()[2].equals(number)) {
            throw new ImageException(
                    Code.AMBIGUOUS_USER,
                    "the image's " + file + " names a " + kind + " " + number + " whose id is "
                            + Quoted.of(named.orElseThrow()[2]) + "; choose the account by an id that is no name");
        }
    }

    private List<Integer> supplementary(String user) {
        var ids = new LinkedHashSet<Integer>();
        for (String[] line : groups) {
            if (List.of(line[3].split(",", -1)).contains(user)) {
                ids.add(id(line, 2, "/etc/group"));
            }
        }
        return List.copyOf(ids);
    }

    private static Optional<String[]> first(List<String[]> lines, int field, String value) {
        return lines.stream().filter(line -> line[field].equals(value)).findFirst();
    }

    private static int id(String[] line, int field, String file) {
        String text = line[field];
        if (!ID.matcher(text).matches() || Long.parseLong(text) > Account.LAST_ID) {
            throw new ImageException(
                    Code.BAD_ACCOUNT_FILE,
                    "the image's " + file + " gives " + Quoted.of(line[0]) + " the id " + Quoted.of(text)
                            + ", not a number from 0 to " + Account.LAST_ID + "; choose another user");
        }
        return Integer.parseInt(text);
    }

    private static boolean isUsable(String home) {
        return home.startsWith("/") && home.chars().noneMatch(Character::isISOControl);
    }
}
