import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.Instruction;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.IncrementInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LookupSwitchInstruction;
import java.lang.classfile.instruction.OperatorInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.classfile.instruction.TableSwitchInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// Makes the bytes of a class with one mistake in it.
final class Mistake {
    private final Change change;

    private Mistake(Change change) {
        this.change = change;
    }

    /// @param types knows the classes that the changed one names
    static byte[] make(Change change, ClassLoader types) throws IOException {
        ClassFile context = ClassFile.of(
                ClassFile.ClassHierarchyResolverOption.of(
                        ClassHierarchyResolver.defaultResolver().orElse(ClassHierarchyResolver.ofResourceParsing(types))),
                ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
                ClassFile.DeadCodeOption.PATCH_DEAD_CODE);
        ClassModel model = context.parse(change.file());
        var mistake = new Mistake(change);
        var index = new AtomicInteger();
        return context.transformClass(model, (to, element) -> {
            if (element instanceof MethodModel method && method.code().isPresent()) {
                ClassDesc returned = method.methodTypeSymbol().returnType();
                CodeTransform transform = (code, instruction) -> {
                    if (instruction instanceof Instruction && change.at().get(index.getAndIncrement())) {
                        mistake.replace(code, instruction, returned);
                    } else {
                        code.with(instruction);
                    }
                };
                to.transformMethod(method, (methodTo, part) -> {
                    if (part instanceof CodeModel code) {
                        methodTo.transformCode(code, transform);
                    } else {
                        methodTo.with(part);
                    }
                });
            } else {
                to.with(element);
            }
        });
    }

    private void replace(CodeBuilder to, CodeElement instruction, ClassDesc returned) {
        switch (instruction) {
            case BranchInstruction branch when change.kind() == Change.Kind.BOUNDARY ->
                to.with(BranchInstruction.of(Change.boundary(branch.opcode()), branch.target()));
            case BranchInstruction branch -> {
                to.pop();
                if (branch.opcode().name().startsWith("IF_")) {
                    to.pop();
                }
                if (change.kind() == Change.Kind.TAKE) {
                    to.goto_(branch.target());
                }
            }
            case InvokeInstruction call -> dropCall(to, call);
            case FieldInstruction store -> {
                pop(to, TypeKind.from(store.typeSymbol()));
                if (store.opcode() == Opcode.PUTFIELD) {
                    to.pop();
                }
            }
            case ReturnInstruction value -> {
                pop(to, value.typeKind());
                if (change.argument() == 1) {
                    to.iconst_1();
                } else {
                    push(to, returned);
                }
                to.return_(value.typeKind());
            }
            case OperatorInstruction operator -> to.with(OperatorInstruction.of(Change.other(operator.opcode())));
            case IncrementInstruction step -> to.iinc(step.slot(), -step.constant());
            case TableSwitchInstruction choice ->
                to.tableswitch(choice.lowValue(), choice.highValue(), choice.defaultTarget(), cases(choice.cases(), choice.defaultTarget()));
            case LookupSwitchInstruction choice -> to.lookupswitch(choice.defaultTarget(), cases(choice.cases(), choice.defaultTarget()));
            case ConstantInstruction constant when constant.constantValue() instanceof Long value -> to.loadConstant(Change.changed(value, change.argument()));
            case ConstantInstruction constant -> to.loadConstant((int) Change.changed((Integer) constant.constantValue(), change.argument()));
            default -> throw new IllegalStateException("no mistake for " + instruction);
        }
    }

    private void dropCall(CodeBuilder to, InvokeInstruction call) {
        for (ClassDesc parameter : call.typeSymbol().parameterList().reversed()) {
            pop(to, TypeKind.from(parameter));
        }
        if (change.argument() == 0) {
            if (call.opcode() != Opcode.INVOKESTATIC) {
                to.pop();
            }
            push(to, call.typeSymbol().returnType());
        }
    }

    private List<SwitchCase> cases(List<SwitchCase> all, Label other) {
        var cases = new ArrayList<>(all);
        cases.set(change.argument(), SwitchCase.of(all.get(change.argument()).caseValue(), other));
        return cases;
    }

    private static void pop(CodeBuilder to, TypeKind kind) {
        if (kind.slotSize() == 2) {
            to.pop2();
        } else {
            to.pop();
        }
    }

    /// Something that says nothing.
    private static void push(CodeBuilder to, ClassDesc type) {
        switch (type.descriptorString()) {
            case "V" -> {}
            case "J" -> to.lconst_0();
            case "F" -> to.fconst_0();
            case "D" -> to.dconst_0();
            case "Z", "B", "C", "S", "I" -> to.iconst_0();
            case "Ljava/util/Optional;", "Ljava/util/OptionalInt;", "Ljava/util/OptionalLong;" ->
                to.invokestatic(type, "empty", MethodTypeDesc.of(type));
            case "Ljava/util/List;", "Ljava/util/Set;", "Ljava/util/Map;" ->
                to.invokestatic(type, "of", MethodTypeDesc.of(type), true);
            case "Ljava/lang/String;" -> to.loadConstant("");
            default -> to.aconst_null();
        }
    }
}
