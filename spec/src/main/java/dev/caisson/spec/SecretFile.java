package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.secret.SecretName;
import dev.caisson.text.Quoted;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/// A secret of the store as a file that one container may read, by name alone: a spec never holds a value.
///
/// @param secret the name in the store
/// @param file the name of the file below `/run/secrets`
/// @param uid owner inside of the container (default: the user that the program runs as)
/// @param gid group inside of the container (default: that user's)
/// @param mode permission bits, up to 0777
/// @param asVariable a variable that has the value too, which other programs may read and the program may print
/// @param onChange what the container gets when it is given another value
public record SecretFile(
        SecretName secret,
        SecretName file,
        OptionalInt uid,
        OptionalInt gid,
        int mode,
        Optional<String> asVariable,
        OnSecretChange onChange) {
    /// Readable by its owner alone.
    public static final int STANDARD_MODE = 0400;

    /// The directory of all of them.
    public static final InRootPath DIRECTORY = InRootPath.of("run/secrets");

    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,254}");
    private static final int MOST_MODE = 0777;
    private static final int MOST_ID = 65_535;

    /// @throws ArgumentException ARGUMENT_INVALID
    public SecretFile {
        present(secret, "secret");
        present(file, "file");
        if (mode < 0 || mode > MOST_MODE) {
            throw ArgumentException.invalid("the mode " + Integer.toOctalString(mode) + " of the secret " + secret
                    + " is not one of 0 to 777: give permission bits alone, as 0400");
        }
        present(asVariable, "asVariable");
        present(onChange, "onChange");
        if (asVariable.isPresent() && !VARIABLE.matcher(asVariable.get()).matches()) {
            throw ArgumentException.invalid("the variable " + Quoted.of(asVariable.get()) + " of the secret " + secret
                    + " is not a name of letters, digits and '_' that begins with no digit: give one, as API_TOKEN");
        }
        requireId(secret, "uid", uid);
        requireId(secret, "gid", gid);
    }

    private static void requireId(SecretName secret, String what, OptionalInt id) {
        if (id.isPresent() && (id.getAsInt() < 0 || id.getAsInt() > MOST_ID)) {
            throw ArgumentException.invalid("the " + what + " " + id.getAsInt() + " of the secret " + secret
                    + " is outside of the container's ids: give 0 to " + MOST_ID);
        }
    }

    /// Returns the secret as a file of its own name, for the user that the program runs as.
    public static SecretFile of(String secret) {
        var name = new SecretName(secret);
        return new SecretFile(
                name,
                name,
                OptionalInt.empty(),
                OptionalInt.empty(),
                STANDARD_MODE,
                Optional.empty(),
                new OnSecretChange.Nothing());
    }

    public SecretFile file(String value) {
        return new SecretFile(secret, new SecretName(value), uid, gid, mode, asVariable, onChange);
    }

    public SecretFile owner(int user, int group) {
        return owner(OptionalInt.of(user), OptionalInt.of(group));
    }

    /// Returns it with other owners.
    ///
    /// @param user the one that the program runs as if empty
    /// @param group that user's if empty
    public SecretFile owner(OptionalInt user, OptionalInt group) {
        return new SecretFile(secret, file, user, group, mode, asVariable, onChange);
    }

    /// Gives the program the value as a variable too. Other programs of its user read it in
    /// `/proc/PID/environ`, its children inherit it, and reports of errors often have all variables: have
    /// it read the file if it can.
    public SecretFile asVariable(String name) {
        return new SecretFile(secret, file, uid, gid, mode, Optional.of(present(name, "name")), onChange);
    }

    public SecretFile mode(int value) {
        return new SecretFile(secret, file, uid, gid, value, asVariable, onChange);
    }

    /// Sends the program a signal when the secret has another value, as SIGHUP, 1, after which many read their files
    /// again.
    public SecretFile onChange(int signal) {
        return onChange(new OnSecretChange.Signal(signal));
    }

    public SecretFile onChange(OnSecretChange wanted) {
        return new SecretFile(secret, file, uid, gid, mode, asVariable, wanted);
    }

    /// Returns the variable that names the file, as `DB_PASSWORD_FILE` for `db-password`.
    public String variable() {
        String word = file.text().toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
        return (Character.isDigit(word.charAt(0)) ? "_" + word : word) + "_FILE";
    }

    /// Returns the file's path inside of the container.
    public String path() {
        return "/" + DIRECTORY.relative() + "/" + file;
    }
}
