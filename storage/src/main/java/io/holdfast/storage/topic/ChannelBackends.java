package io.holdfast.storage.topic;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.ledger.ChannelAccount;
import io.holdfast.storage.ledger.Ledger;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Opens the backends of channels, new ones and such as their ledgers tell of. Stateless. */
public final class ChannelBackends {
  private ChannelBackends() {}

  /**
   * Opens the backend of a channel: new with everything from an ordinal on, or as its ledger says.
   *
   * @param dir the channel's directory, which exists
   * @param known whether the channel is known to have been there: without its ledger it then has
   *     all of the journal, relocated messages included
   * @param first where a new channel begins
   * @param keptFrom what the topic itself holds back begins here; negative for nothing
   */
  public static ChronicleBackend open(
      Path dir,
      Journal topicJournal,
      SyncThread syncThread,
      boolean known,
      long first,
      long keptFrom)
      throws IOException {
    return open(dir, topicJournal, syncThread, known, known, first, keptFrom, Long.MAX_VALUE);
  }

  /**
   * As {@link #open(Path, Journal, SyncThread, boolean, long, long)}, with no more memory than
   * there is.
   *
   * @param keepsAll whether it is on disk that the topic keeps all its messages, from the first on,
   *     for a channel to come
   * @param maxHeld how many messages the channel holds with attempts or due times; those beyond
   *     stay here
   */
  public static ChronicleBackend open(
      Path dir,
      Journal topicJournal,
      SyncThread syncThread,
      boolean known,
      boolean keepsAll,
      long first,
      long keptFrom,
      long maxHeld)
      throws IOException {
    Ledger ledger = new Ledger(dir, syncThread);
    LedgerState said = ledger.replay(maxHeld);
    ChannelRecovery recovery =
        new ChannelRecovery(
            said, ledger.isIncomplete(), ledger.hasFiles(), topicJournal, known, first, keptFrom);
    boolean isFoundAgain =
        !ledger.hasFiles()
            && recovery.held().size() == 0
            && (known || (keepsAll && recovery.hasAll()));
    return begun(topicJournal, ledger, recovery, isFoundAgain);
  }

  /**
   * Makes the backend of a new channel that has messages published before it was made. While no
   * journal file is removed and nothing is relocated.
   *
   * @param dir the channel's directory, which exists and is empty
   * @param first from this ordinal on
   * @param relocations {@link Journal#relocationsFrom} of that
   * @param keptFrom what the topic itself holds back begins here; negative for nothing
   */
  public static ChronicleBackend openFrom(
      Path dir,
      Journal topicJournal,
      SyncThread syncThread,
      long first,
      Collection<MessageRef> relocations,
      long keptFrom)
      throws IOException {
    Ledger ledger = new Ledger(dir, syncThread);
    LedgerState state;
    try (JournalCursor cursor = topicJournal.cursor()) {
      List<HeldMessage> held = asPublished(relocations, cursor);
      state = ChannelRecovery.from(first, Long.MAX_VALUE, topicJournal, held);
    }
    return begun(
        topicJournal,
        ledger,
        new ChannelRecovery(state, true, false, topicJournal, keptFrom),
        false);
  }

  /**
   * @param isFoundAgain whether the next start finds of a new channel the same without its ledger
   */
  private static ChronicleBackend begun(
      Journal topicJournal, Ledger ledger, ChannelRecovery recovery, boolean isFoundAgain)
      throws IOException {
    ChronicleBackend backend = new ChronicleBackend(topicJournal, ledger, recovery);
    if (recovery.isNew() && isFoundAgain) {
      ledger.beginAt(recovery.state().begin());
      ledger.beginWithFirstRecord(backend.finished(), recovery.end());
      if (recovery.end() > 0) {
        // Need not be forced: without it the same is found.
        ledger.hasMessages();
        ledger.closeIdle();
      }
    } else if (recovery.isNew()) {
      // Before the channel's creation is acknowledged: it says where the channel begins.
      boolean done = false;
      try {
        ledger.beginAt(recovery.state().begin());
        ledger.checkpoint(backend.finished(), recovery.end(), recovery.held().iterator(), null);
        ledger.force();
        // Thousands of channels may be made before one is used.
        ledger.closeIdle();
        done = true;
      } finally {
        if (!done) {
          backend.close();
        }
      }
    }
    return backend;
  }

  /**
   * Makes the backend of a channel of a topic that several brokers share.
   *
   * @param state what they have agreed on; changed by this
   * @param account where it writes down what becomes of its messages
   * @param keptFrom what the topic itself holds back begins here; negative for nothing
   */
  public static ChronicleBackend of(
      LedgerState state, Journal topicJournal, ChannelAccount account, long keptFrom)
      throws IOException {
    ChannelRecovery agreed = new ChannelRecovery(state, false, false, topicJournal, keptFrom);
    return new ChronicleBackend(topicJournal, account, agreed);
  }

  /**
   * Makes the backend of an {@code #ephemeral} channel: everything from an ordinal on, and nothing
   * of it survives the process.
   */
  public static ChronicleBackend ephemeral(Journal topicJournal, long first) throws IOException {
    ChannelRecovery empty =
        new ChannelRecovery(null, false, false, topicJournal, false, first, first);
    return new ChronicleBackend(topicJournal, ChannelAccount.NONE, empty);
  }

  /** Copies that can be read, as they were published: not due before their deferral is over. */
  static List<HeldMessage> asPublished(Collection<MessageRef> relocations, JournalCursor journal)
      throws IOException {
    List<HeldMessage> published = new ArrayList<>();
    MessageView message = new MessageView();
    for (MessageRef relocation : relocations) {
      if (journal.read(relocation, message)) {
        long publishedMs = TimeUnit.NANOSECONDS.toMillis(message.timestampNs());
        published.add(HeldMessage.after(relocation, message.deferMs(), publishedMs));
      }
    }
    return published;
  }
}
