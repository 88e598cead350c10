/**
 * Chronicle Queue as a log of records in files that roll by size, and the one reader of it; nothing
 * else imports Chronicle.
 */
package io.holdfast.storage.log;
