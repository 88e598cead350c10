package io.holdfast.tools.data;

import io.holdfast.storage.inspect.ChannelView;
import io.holdfast.storage.inspect.Defect;
import io.holdfast.storage.inspect.JournalScan;
import io.holdfast.storage.inspect.LedgerScan;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.util.List;

/** Where {@code dump} puts what it finds. */
interface Rows {
  /** A message and what the channels made of it. */
  void message(
      TopicView topic,
      List<ChannelView> channels,
      JournalScan journal,
      MessageView message,
      long nowMs)
      throws IOException;

  /** A publish command. */
  void batch(TopicView topic, JournalScan journal) throws IOException;

  /** A ledger's record. */
  void ledger(TopicView topic, ChannelView channel, LedgerScan record) throws IOException;

  /** Something damaged. */
  void defect(Defect defect) throws IOException;

  /** Everything so far is to be seen. */
  void flush() throws IOException;
}
