package io.holdfast.storage.journal;

import io.holdfast.storage.journal.JournalFiles.FirstBatch;
import io.holdfast.storage.log.LogFiles;
import io.holdfast.storage.log.SizeRollCycle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which files of a journal somebody has put among the others under a number that is not theirs: the
 * copy of one that is there, or one whose ordinals do not fit between its neighbours'. Ordinals
 * rise from file to file, so the first ones tell. Stateless.
 */
final class MisplacedFiles {
  /** Of the oldest and of the newest files, so many are looked at, and those beside gaps. */
  private static final int LOOKED_AT = 4;

  private MisplacedFiles() {}

  /**
   * Looks for such files. With everything in order that reads the first record of a few only.
   *
   * @return why, by cycle
   */
  static Map<Integer, String> find(LogFiles log, JournalFiles journal) throws IOException {
    List<Integer> cycles = new ArrayList<>();
    for (int cycle = log.firstCycle(); cycle >= 0; cycle = log.cycleAfter(cycle)) {
      cycles.add(cycle);
    }
    Map<Integer, String> misplaced = new TreeMap<>();
    if (cycles.size() > 1 && !inOrder(firsts(journal, likely(cycles)))) {
      List<FirstBatch> all = firsts(journal, cycles);
      leaveOutCopies(log, journal, all, misplaced);
      leaveOutOfOrder(all, misplaced);
    }
    return misplaced;
  }

  private static List<Integer> likely(List<Integer> cycles) {
    List<Integer> likely = new ArrayList<>();
    int last = cycles.size() - 1;
    for (int i = 0; i <= last; i++) {
      boolean besideGap =
          (i > 0 && cycles.get(i) != cycles.get(i - 1) + 1)
              || (i < last && cycles.get(i + 1) != cycles.get(i) + 1);
      if (i < LOOKED_AT || i > last - LOOKED_AT || besideGap) {
        likely.add(cycles.get(i));
      }
    }
    return likely;
  }

  /** What the files begin with in which anything can be read. */
  private static List<FirstBatch> firsts(JournalFiles journal, List<Integer> cycles)
      throws IOException {
    List<FirstBatch> firsts = new ArrayList<>();
    for (int cycle : cycles) {
      FirstBatch first = journal.firstBatch(cycle);
      if (first != null) {
        firsts.add(first);
      }
    }
    return firsts;
  }

  private static boolean inOrder(List<FirstBatch> firsts) {
    for (int i = 1; i < firsts.size(); i++) {
      if (!firsts.get(i - 1).mayPrecede(firsts.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** Of files that begin with the same record, the one is kept that has more, or is older. */
  private static void leaveOutCopies(
      LogFiles log, JournalFiles journal, List<FirstBatch> all, Map<Integer, String> misplaced)
      throws IOException {
    Map<FirstBatch, List<FirstBatch>> same = new HashMap<>();
    for (FirstBatch first : all) {
      same.computeIfAbsent(first.inAnyFile(), key -> new ArrayList<>()).add(first);
    }
    for (List<FirstBatch> copies : same.values()) {
      if (copies.size() > 1) {
        Map<FirstBatch, Long> ends = new HashMap<>();
        Map<FirstBatch, FileTime> changed = new HashMap<>();
        for (FirstBatch copy : copies) {
          Path file = log.file(copy.cycle());
          ends.put(copy, journal.endOf(copy.cycle()));
          changed.put(copy, (FileTime) Files.getAttribute(file, "unix:ctime"));
        }
        copies.sort(
            Comparator.<FirstBatch>comparingLong(copy -> -ends.get(copy))
                .thenComparing(changed::get)
                .thenComparing(FirstBatch::cycle));
        String original = SizeRollCycle.fileName(copies.get(0).cycle());
        for (FirstBatch copy : copies.subList(1, copies.size())) {
          misplaced.put(copy.cycle(), "it is a copy of " + original);
          all.remove(copy);
        }
      }
    }
  }

  /** Keeps as many files as can be in order, and the highest ordinals when there is a choice. */
  private static void leaveOutOfOrder(List<FirstBatch> firsts, Map<Integer, String> misplaced) {
    int count = firsts.size();
    int[] length = new int[count];
    int[] before = new int[count];
    int best = -1;
    for (int i = 0; i < count; i++) {
      before[i] = -1;
      length[i] = 1;
      for (int j = 0; j < i; j++) {
        if (firsts.get(j).mayPrecede(firsts.get(i)) && length[j] >= length[i]) {
          length[i] = length[j] + 1;
          before[i] = j;
        }
      }
      boolean better =
          best < 0
              || length[i] > length[best]
              || (length[i] == length[best]
                  && firsts.get(i).ordinal() > firsts.get(best).ordinal());
      best = better ? i : best;
    }
    boolean[] kept = new boolean[count];
    for (int i = best; i >= 0; i = before[i]) {
      kept[i] = true;
    }
    for (int i = 0; i < count; i++) {
      if (!kept[i]) {
        misplaced.put(
            firsts.get(i).cycle(),
            "it begins with message " + firsts.get(i).ordinal() + ", out of the others' order");
      }
    }
  }
}
