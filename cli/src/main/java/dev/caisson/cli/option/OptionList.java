package dev.caisson.cli.option;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.IGetter;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.TypeConversionException;

/// The options of a command that people start often, told to picocli one by one. Its annotations say the same, but the
/// JVM reads sixty of them at each start, by classes that it first makes, for a third of the time of `caisson run`.
public final class OptionList {
    /// Stores what picocli read; picocli asks back for a list that grows.
    private static final class Place<T> implements ISetter, IGetter {
        private final Consumer<T> consumer;
        private @Nullable Object value;

        Place(Consumer<T> consumer) {
            this.consumer = consumer;
        }

        @Override
        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // the type that the option was declared with
        public <V> @Nullable V get() {
            return (V) value;
        }

        @Override
        @SuppressWarnings("unchecked") // the type that the option was declared with
        public <V> @Nullable V set(@Nullable V given) {
            V before = (V) value;
            value = given;
            if (given != null) { // null: nothing was said
                consumer.accept((T) given);
            }
            return before;
        }
    }

    private static final ITypeConverter<Boolean> BOOLEAN = text -> BooleanText.find(text)
            .orElseThrow(() -> new TypeConversionException("'" + text + "' is not a boolean: give true or false"));

    private final CommandSpec command;

    public OptionList(CommandSpec command) {
        this.command = command;
    }

    /// On or off.
    /// @param names as `-m, --memory`
    public OptionList flag(String names, String description, Consumer<Boolean> set) {
        return add(option(names, description, set).type(boolean.class).converters(BOOLEAN));
    }

    /// A flag that is on unless `--no-…` was said.
    OptionList flagThatIsOn(String name, String description, Consumer<Boolean> set) {
        return add(option(name, description, set)
                .type(boolean.class)
                .converters(BOOLEAN)
                .negatable(true)
                .defaultValue("true")
                .fallbackValue("true"));
    }

    /// One text, as it was given.
    public OptionList text(String names, String label, String description, Consumer<String> set) {
        return value(names, label, description, String.class, set);
    }

    /// One value, refused where it is none of `type`.
    public <T> OptionList value(String names, String label, String description, Class<T> type, Consumer<T> set) {
        return add(option(names, description, set).type(type).paramLabel(label));
    }

    /// May be given several times.
    public OptionList texts(String names, String label, String description, Consumer<List<String>> set) {
        return values(names, label, description, String.class, set);
    }

    <T> OptionList values(String names, String label, String description, Class<T> type, Consumer<List<T>> set) {
        return add(list(names, label, description, type, set));
    }

    /// May be given several times, and several at once with commas between them.
    public OptionList words(String names, String label, String description, Consumer<List<String>> set) {
        return add(list(names, label, description, String.class, set).splitRegex(","));
    }

    /// The word that stands at `index`; whoever needs it asks whether it was given.
    OptionList operand(int index, String label, String description, Consumer<String> set) {
        command.addPositional(positional(label, description, set)
                .index(Integer.toString(index))
                .type(String.class)
                .arity("0..1")
                .build());
        return this;
    }

    /// The word that stands at `index`, without which the command is refused.
    public OptionList requiredOperand(int index, String label, String description, Consumer<String> set) {
        command.addPositional(positional(label, description, set)
                .index(Integer.toString(index))
                .type(String.class)
                .arity("1")
                .required(true)
                .build());
        return this;
    }

    /// All words from `index` on, of which there may be none.
    OptionList operands(int index, String label, String description, Consumer<List<String>> set) {
        command.addPositional(positional(label, description, set)
                .index(index + "..*")
                .arity("0..1")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .build());
        return this;
    }

    private static <T> OptionSpec.Builder option(String names, String description, Consumer<T> set) {
        var place = new Place<T>(set);
        return OptionSpec.builder(names.split(", "))
                .description(description)
                .setter(place)
                .getter(place);
    }

    private static <T> OptionSpec.Builder list(
            String names, String label, String description, Class<T> type, Consumer<List<T>> set) {
        return option(names, description, set)
                .type(List.class)
                .auxiliaryTypes(type)
                .paramLabel(label);
    }

    private static <T> PositionalParamSpec.Builder positional(String label, String description, Consumer<T> set) {
        var place = new Place<T>(set);
        return PositionalParamSpec.builder()
                .paramLabel(label)
                .description(description)
                .setter(place)
                .getter(place);
    }

    private OptionList add(OptionSpec.Builder option) {
        command.addOption(option.build());
        return this;
    }
}
