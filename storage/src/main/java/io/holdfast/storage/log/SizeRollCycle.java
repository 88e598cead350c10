package io.holdfast.storage.log;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import net.openhft.chronicle.core.time.TimeProvider;
import net.openhft.chronicle.queue.RollCycle;
import net.openhft.chronicle.queue.rollcycles.RollCycleArithmetic;

/**
 * A roll cycle that a counter drives instead of the clock, so that files roll by size. Cycle n is
 * the file named after second n since 1970; names sort in cycle order. One instance per queue; the
 * appender's lock guards the counter's writes.
 */
public final class SizeRollCycle implements RollCycle {
  /** Ends the name of each of Chronicle's files. */
  public static final String SUFFIX = ".cq4";

  /** Unlike every built-in format, which the builder would take instead. */
  private static final String FORMAT = "yyyyMMdd-HHmmss";

  private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern(FORMAT);

  /** 1024 entries keep the index arrays of a small topic small; 16M excerpts fit in a file. */
  static final int INDEX_COUNT = 1024;

  private static final int INDEX_SPACING = 16;

  private final RollCycleArithmetic arithmetic = RollCycleArithmetic.of(INDEX_COUNT, INDEX_SPACING);
  private volatile int cycle;

  SizeRollCycle(int cycle) {
    this.cycle = cycle;
  }

  void cycle(int next) {
    cycle = next;
  }

  /** The file name of a cycle. */
  public static String fileName(int cycle) {
    return NAME.format(LocalDateTime.ofEpochSecond(cycle, 0, ZoneOffset.UTC)) + SUFFIX;
  }

  /** The cycle of a file name, or -1 when it is not one of ours. */
  static int cycleOf(String fileName) {
    if (!fileName.endsWith(SUFFIX)) {
      return -1;
    }
    try {
      String stem = fileName.substring(0, fileName.length() - SUFFIX.length());
      return Math.toIntExact(LocalDateTime.parse(stem, NAME).toEpochSecond(ZoneOffset.UTC));
    } catch (DateTimeParseException | ArithmeticException notOurs) {
      return -1;
    }
  }

  @Override
  public int current(TimeProvider time, long epoch) {
    return cycle;
  }

  @Override
  public String format() {
    return FORMAT;
  }

  @Override
  public int lengthInMillis() {
    return 1000;
  }

  @Override
  public int defaultIndexCount() {
    return arithmetic.indexCount();
  }

  @Override
  public int defaultIndexSpacing() {
    return arithmetic.indexSpacing();
  }

  @Override
  public long toIndex(int ofCycle, long sequence) {
    return arithmetic.toIndex(ofCycle, sequence);
  }

  @Override
  public long toSequenceNumber(long index) {
    return arithmetic.toSequenceNumber(index);
  }

  @Override
  public int toCycle(long index) {
    return arithmetic.toCycle(index);
  }

  @Override
  public long maxMessagesPerCycle() {
    return arithmetic.maxMessagesPerCycle();
  }
}
