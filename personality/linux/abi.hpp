// Constants and structures of the Linux x86-64 system-call ABI, as far as the personality answers it. Values are those
// of the Linux user-space headers (include/uapi); structures are laid out without hidden padding.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace aios::linux_abi {

enum Errno : std::int64_t {
    kPerm = 1,
    kNoEntry = 2,
    kNoProcess = 3,
    kInterrupted = 4,
    kIo = 5,
    kNoDeviceAddress = 6,
    kTooBig = 7,
    kNoExec = 8,
    kBadFd = 9,
    kNoChild = 10,
    kAgain = 11,
    kNoMemory = 12,
    kAccess = 13,
    kFault = 14,
    kBusy = 16,
    kExists = 17,
    kCrossDevice = 18,
    kNoDevice = 19,
    kNotDirectory = 20,
    kIsDirectory = 21,
    kInvalid = 22,
    kTooManyFiles = 24,
    kNotTerminal = 25,
    kFileTooBig = 27,
    kNoSpace = 28,
    kIllegalSeek = 29,
    kReadOnly = 30,
    kPipe = 32,
    kRange = 34,
    kDeadlock = 35,
    kNameTooLong = 36,
    kNoLocks = 37,
    kNoSystemCall = 38,
    kNotEmpty = 39,
    kLoop = 40,
    kNoMessage = 42,
    kIdRemoved = 43,
    kOverflow = 75,
    kNotSocket = 88,
    kNoDestination = 89,
    kMessageTooLong = 90,
    kWrongType = 91,
    kNoOption = 92,
    kNoProtocol = 93,
    kNoSocketType = 94,
    kNotSupported = 95,
    kNoFamily = 97,
    kAddressInUse = 98,
    kNoAddress = 99,
    kUnreachable = 101,
    kConnectionReset = 104,
    kNoBuffers = 105,
    kIsConnected = 106,
    kNotConnected = 107,
    kTooManyReferences = 109,
    kTimedOut = 110,
    kConnectionRefused = 111,
    kAlready = 114,
    kInProgress = 115,
};

// The errno for an AIOS error, where a call has no better one of its own.
[[nodiscard]] Errno errno_of(Error error);

// --- memory ---
inline constexpr std::uint64_t kProtRead = 1, kProtWrite = 2, kProtExec = 4;
inline constexpr std::uint64_t kMapShared = 1, kMapPrivate = 2, kMapSharedValidate = 3, kMapTypeMask = 0xf;
inline constexpr std::uint64_t kMapFixed = 0x10, kMapAnonymous = 0x20, kMapGrowsDown = 0x100, kMapNoReserve = 0x4000,
                               kMapPopulate = 0x8000, kMapStack = 0x20000, kMapFixedNoReplace = 0x100000;
inline constexpr std::uint64_t kMremapMayMove = 1, kMremapFixed = 2, kMremapDontUnmap = 4;
inline constexpr std::int32_t kMadvDontNeed = 4, kMadvFree = 8, kMadvDontFork = 10, kMadvDoFork = 11,
                              kMadvWipeOnFork = 18, kMadvKeepOnFork = 19;

// --- threads ---
inline constexpr std::uint64_t kCloneVm = 0x100, kCloneFs = 0x200, kCloneFiles = 0x400, kCloneSighand = 0x800,
                               kClonePidFd = 0x1000, kClonePtrace = 0x2000, kCloneVfork = 0x4000, kCloneParent = 0x8000,
                               kCloneUntraced = 0x800000, kCloneIo = 0x80000000, kCloneThread = 0x10000,
                               kCloneSysvsem = 0x40000, kCloneSetTls = 0x80000, kCloneParentSetTid = 0x100000,
                               kCloneChildClearTid = 0x200000, kCloneDetached = 0x400000, kCloneChildSetTid = 0x1000000,
                               kCloneClearSighand = 0x10000'0000;
inline constexpr std::uint64_t kCloneNewSpaces = 0x7e02'0080; // CLONE_NEW...
struct CloneArguments {                                       // struct clone_args, version 0 (64 bytes) and up
    std::uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_bytes, tls;
};
inline constexpr std::int32_t kArchSetGs = 0x1001, kArchSetFs = 0x1002, kArchGetFs = 0x1003, kArchGetGs = 0x1004;

// --- futex ---
inline constexpr std::uint32_t kFutexWait = 0, kFutexWake = 1, kFutexRequeue = 3, kFutexCmpRequeue = 4,
                               kFutexWakeOperation = 5, kFutexLockPi = 6, kFutexUnlockPi = 7, kFutexTryLockPi = 8,
                               kFutexWaitBitset = 9, kFutexWakeBitset = 10, kFutexWaitRequeuePi = 11,
                               kFutexCmpRequeuePi = 12, kFutexLockPi2 = 13;
inline constexpr std::uint32_t kFutexPrivate = 128, kFutexClockRealtime = 256;

// --- time ---
struct TimeSpec {
    std::int64_t seconds, nanoseconds;
};
struct TimeVal {
    std::int64_t seconds, microseconds;
};
enum class ClockId : std::int32_t {
    realtime = 0,
    monotonic = 1,
    process_cpu = 2,
    thread_cpu = 3,
    monotonic_raw = 4,
    realtime_coarse = 5,
    monotonic_coarse = 6,
    boottime = 7,
    realtime_alarm = 8,
    boottime_alarm = 9,
    atomic = 11, // CLOCK_TAI: leap seconds are not known, so it is the wall clock
};
inline constexpr std::uint64_t kTimerAbsolute = 1;

// --- signals ---
inline constexpr int kSigHup = 1, kSigInterrupt = 2, kSigQuit = 3, kSigIll = 4, kSigTrap = 5, kSigAbort = 6,
                     kSigBus = 7, kSigFpe = 8, kSigKill = 9, kSigSegv = 11, kSigPipe = 13, kSigAlarm = 14,
                     kSigChild = 17, kSigContinue = 18, kSigStop = 19, kSigTerminalStop = 20, kSigTerminalIn = 21,
                     kSigTerminalOut = 22, kSigUrgent = 23, kSigCpuTime = 24, kSigFileTooLarge = 25,
                     kSigVirtualAlarm = 26, kSigProfile = 27, kSigWindow = 28, kSignalCount = 64;
inline constexpr std::uint64_t kSigDefault = 0, kSigIgnore = 1;
struct SignalAction { // struct kernel_sigaction
    std::uint64_t handler, flags, restorer, mask;
};
struct SignalStack {
    std::uint64_t pointer;
    std::uint32_t flags, reserved;
    std::uint64_t bytes;
};
inline constexpr std::uint32_t kStackInUse = 1, kStackDisable = 2, kStackAutoDisarm = 1u << 31;
inline constexpr std::uint64_t kMinSignalStack = 2048;
inline constexpr std::uint64_t kActionNoChildStop = 1, kActionNoChildWait = 2, kActionRestorer = 0x0400'0000,
                               kActionOnStack = 0x0800'0000, kActionRestart = 0x1000'0000, kActionNoDefer = 0x4000'0000,
                               kActionResetHand = 0x8000'0000;

// --- processes ---
inline constexpr std::uint64_t kWaitNoHang = 1, kWaitStopped = 2, kWaitExited = 4, kWaitContinued = 8,
                               kWaitKeep = 0x0100'0000, kWaitNoThread = 0x2000'0000, kWaitAll = 0x4000'0000,
                               kWaitClone = 0x8000'0000;
struct ChildInfo { // siginfo_t of waitid
    std::int32_t signal, error, code, reserved0, pid, user, status, reserved1;
    std::uint64_t rest[12];
};
static_assert(sizeof(ChildInfo) == 128);

// --- files ---
inline constexpr std::int64_t kAtFdCwd = -100;
inline constexpr std::uint64_t kOpenAccessMask = 3, kOpenReadOnly = 0, kOpenWriteOnly = 1, kOpenReadWrite = 2,
                               kOpenCreate = 0100, kOpenExclusive = 0200, kOpenNoTerminal = 0400, kOpenTruncate = 01000,
                               kOpenAppend = 02000, kOpenNonBlock = 04000, kOpenDirectory = 0200000,
                               kOpenNoFollow = 0400000, kOpenCloseOnExec = 02000000, kOpenPath = 010000000;
inline constexpr std::uint64_t kAtSymlinkNoFollow = 0x100, kAtRemoveDir = 0x200, kAtSymlinkFollow = 0x400,
                               kAtNoAutomount = 0x800, kAtEmptyPath = 0x1000;
inline constexpr std::uint32_t kModeDirectory = 0040000, kModeFile = 0100000, kModeLink = 0120000, kModeChar = 0020000,
                               kModeFifo = 0010000, kModeSocket = 0140000, kModeBlock = 0060000, kModeKind = 0170000;
inline constexpr std::uint8_t kDirentFifo = 1, kDirentChar = 2, kDirentDirectory = 4, kDirentFile = 8, kDirentLink = 10,
                              kDirentSocket = 12;
struct Stat {
    std::uint64_t device, inode, links;
    std::uint32_t mode, uid, gid, reserved0;
    std::uint64_t rdev;
    std::int64_t bytes, block_bytes, blocks;
    TimeSpec accessed, modified, changed;
    std::int64_t reserved1[3];
};
static_assert(sizeof(Stat) == 144);
struct StatFs {
    std::int64_t type, block_bytes;
    std::uint64_t blocks, blocks_free, blocks_available, files, files_free;
    std::int32_t id[2];
    std::int64_t name_bytes, fragment_bytes, flags, spare[4];
};
static_assert(sizeof(StatFs) == 120);
struct IoVector {
    std::uint64_t base, bytes;
};
struct StatxTime {
    std::int64_t seconds;
    std::uint32_t nanoseconds, reserved;
};
struct Statx {
    std::uint32_t mask, block_bytes;
    std::uint64_t attributes;
    std::uint32_t links, uid, gid;
    std::uint16_t mode, reserved0;
    std::uint64_t inode, bytes, blocks, attributes_mask;
    StatxTime accessed, born, changed, modified;
    std::uint32_t rdev_major, rdev_minor, device_major, device_minor;
    std::uint64_t reserved1[14];
};
static_assert(sizeof(Statx) == 256);
struct PollEntry { // struct pollfd
    std::int32_t fd;
    std::int16_t events, raised;
};
inline constexpr std::uint64_t kStatFlags = kAtSymlinkNoFollow | kAtNoAutomount | kAtEmptyPath;
inline constexpr std::uint64_t kStatxSyncType = 0x6000;    // AT_STATX_FORCE_SYNC, AT_STATX_DONT_SYNC
inline constexpr std::uint64_t kAtEffectiveAccess = 0x200; // AT_EACCESS
inline constexpr std::uint64_t kAccessFlags = kAtEffectiveAccess | kAtSymlinkNoFollow | kAtEmptyPath;
inline constexpr std::uint64_t kRenameNoReplace = 1, kFallocateKeepSize = 1, kCloseRangeCloseOnExec = 4;
inline constexpr std::uint64_t kFcntlDup = 0, kFcntlGetFd = 1, kFcntlSetFd = 2, kFcntlGetFlags = 3, kFcntlSetFlags = 4,
                               kFcntlDupCloseOnExec = 1030;
// F_GETLK, F_SETLK, F_SETLKW, and F_OFD_GETLK and so on.
inline constexpr std::uint64_t kFcntlGetLock = 5, kFcntlSetLock = 6, kFcntlSetLockWait = 7, kFcntlGetFileLock = 36,
                               kFcntlSetFileLock = 37, kFcntlSetFileLockWait = 38;
struct FileLock { // struct flock
    std::int16_t type, whence;
    std::uint32_t reserved0;
    std::int64_t start, bytes;
    std::int32_t pid;
    std::uint32_t reserved1;
};
static_assert(sizeof(FileLock) == 32);
inline constexpr std::uint64_t kCloseOnExec = 1;
inline constexpr std::uint64_t kSeekSet = 0, kSeekCurrent = 1, kSeekEnd = 2, kSeekData = 3, kSeekHole = 4;

// --- readiness ---
inline constexpr std::uint64_t kFileFlags = kOpenCloseOnExec | kOpenNonBlock; // EFD_, TFD_, SFD_CLOEXEC and _NONBLOCK
inline constexpr std::uint64_t kEventSemaphore = 1;                           // EFD_SEMAPHORE
inline constexpr std::uint64_t kTimerCancelOnSet = 2;                         // TFD_TIMER_CANCEL_ON_SET
// F_ADD_SEALS, F_GET_SEALS, and F_SEAL_...
inline constexpr std::uint64_t kFcntlAddSeals = 1033, kFcntlGetSeals = 1034;
inline constexpr std::uint32_t kSealedSeals = 1, kSealedShrink = 2, kSealedGrow = 4, kSealedWrite = 8,
                               kSealedFutureWrite = 16, kSealedExecute = 32, kSealedAll = 63;
// F_SETOWN and so on.
inline constexpr std::uint64_t kFcntlSetOwner = 8, kFcntlGetOwner = 9, kFcntlSetSignal = 10, kFcntlGetSignal = 11,
                               kFcntlSetLease = 1024, kFcntlGetLease = 1025;
// O_DSYNC, O_SYNC, O_DIRECT, O_NOATIME, which are kept and told; those that F_SETFL changes.
inline constexpr std::uint32_t kOpenKept = 04000000 | 010000 | 040000 | 01000000, kOpenSettable = 040000 | 01000000;
inline constexpr std::uint64_t kFcntlSetPipeBytes = 1031, kFcntlGetPipeBytes = 1032;
// The bits of poll and epoll.
inline constexpr std::uint32_t kPollIn = 1, kPollPriority = 2, kPollOut = 4, kPollError = 8, kPollHangUp = 16,
                               kPollInvalid = 32, kPollReadNormal = 64, kPollReadBand = 128, kPollWriteNormal = 256,
                               kPollWriteBand = 512, kPollReadHangUp = 0x2000;
inline constexpr std::uint32_t kEpollExclusive = 1u << 28, kEpollWakeUp = 1u << 29, kEpollOneShot = 1u << 30,
                               kEpollEdge = 1u << 31;
struct EpollEvent { // struct epoll_event, which is packed: `data` is not aligned
    std::uint32_t events, data_low, data_high;
};
static_assert(sizeof(EpollEvent) == 12);
struct MessageHeader { // struct msghdr
    std::uint64_t name;
    std::uint32_t name_bytes, reserved0;
    std::uint64_t vectors, count, control, control_bytes;
    std::uint32_t flags, reserved1;
};
static_assert(sizeof(MessageHeader) == 56);
struct TimerSpec { // struct itimerspec
    TimeSpec interval, value;
};
struct IntervalSpec { // struct itimerval
    TimeVal interval, value;
};
struct SignalEvent { // struct sigevent
    std::uint64_t value;
    std::int32_t signal, notify, thread;
    std::int32_t rest[11];
};
static_assert(sizeof(SignalEvent) == 64);
inline constexpr std::int32_t kNotifySignal = 0, kNotifyNone = 1,
                              kNotifyThread = 4; // SIGEV_..., the last SIGEV_THREAD_ID
struct SignalInfoRecord {                        // siginfo_t
    std::int32_t signal, error, code, reserved;
    std::uint64_t first; // address of a fault; of a timer its number and overruns; else the sender's pid, and user id 0
    std::uint64_t rest[13]; // of SIGCHLD: the status first; of a timer and of sigqueue the value
};
static_assert(sizeof(SignalInfoRecord) == 128);
struct SignalRecord { // struct signalfd_siginfo
    std::uint32_t signal;
    std::int32_t error, code;
    std::uint32_t pid, uid;
    std::int32_t fd;
    std::uint32_t tid, band, overrun, trap;
    std::int32_t status, number;
    std::uint64_t pointer, user_time, system_time, address;
    std::uint16_t address_low;
    std::uint8_t rest[46];
};
static_assert(sizeof(SignalRecord) == 128);

// --- the system ---
inline constexpr std::uint64_t kRandomFlags = 7; // GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE
// What uname and /proc/sys/kernel say: the system that programs test for; the version says who answers.
inline constexpr std::string_view kSystemName = "Linux", kNodeName = "aios", kSystemRelease = "6.1.0",
                                  kSystemVersion = "AIOS Linux personality";
struct UtsName {
    char system[65], node[65], release[65], version[65], machine[65], domain[65];
};
struct SystemInfo { // struct sysinfo
    std::int64_t uptime;
    std::uint64_t loads[3], total_ram, free_ram, shared_ram, buffer_ram, total_swap, free_swap;
    std::uint16_t processes, reserved[3];
    std::uint64_t total_high, free_high;
    std::uint32_t unit, reserved2;
};
static_assert(sizeof(SystemInfo) == 112);

// --- limits ---
struct Limit {
    std::uint64_t current, maximum;
};
struct Usage { // struct rusage
    TimeVal user, system;
    std::int64_t peak_kib, reserved[3], minor_faults, major_faults, rest[8];
};
static_assert(sizeof(Usage) == 144);
inline constexpr std::uint64_t kLimitInfinity = ~0ull;
inline constexpr std::uint64_t kLimitCpu = 0, kLimitFileBytes = 1, kLimitStack = 3, kLimitResident = 5, kLimitFiles = 7,
                               kLimitAddressSpace = 9, kLimitSignals = 11, kLimitCount = 16;

// --- System V ---
struct SemaphoreOperation { // struct sembuf
    std::uint16_t number;
    std::int16_t change;
    std::int16_t flags;
};

// --- scheduling ---
struct ScheduleAttributes { // struct sched_attr
    static constexpr std::uint32_t kFirstBytes = 48;
    std::uint32_t bytes, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
    std::uint32_t least, most;
};
static_assert(sizeof(ScheduleAttributes) == 56);

// --- identity ---
struct CapabilityHeader { // struct __user_cap_header_struct
    std::uint32_t version;
    std::int32_t pid;
};
struct CapabilitySets { // struct __user_cap_data_struct
    std::uint32_t effective, permitted, inheritable;
};

// --- auxiliary vector (System V ABI AMD64 supplement, section 3.4.3) ---
enum class Aux : std::uint64_t {
    null = 0,
    headers = 3,
    header_bytes = 4,
    header_count = 5,
    page_bytes = 6,
    base = 7,
    flags = 8,
    entry = 9,
    uid = 11,
    euid = 12,
    gid = 13,
    egid = 14,
    platform = 15,
    hwcap = 16,
    clock_ticks = 17,
    secure = 23,
    random = 25,
    hwcap2 = 26,
    exec_name = 31,
    vdso = 33, // AT_SYSINFO_EHDR
    min_signal_stack = 51,
};

} // namespace aios::linux_abi
