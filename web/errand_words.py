"""Why somebody must go to a room, and what to do there instead of the loudspeaker, in words (rule A-6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from exam.errands import NO_PLAYER
from exam.players import PlayerTrouble
from exam.procedure import Procedure
from exam.rounds import Errand, Reason

# What is wrong with a player, and what to do.
TROUBLE_WORDS: Final[Mapping[PlayerTrouble, str]] = {
    PlayerTrouble.AWAY: "没有联系：请到现场查看设备是否开机、联网",
    PlayerTrouble.CLOCK_UNKNOWN: "时间未核准，不会响铃：请检查网络",
    PlayerTrouble.CLOCK_UNSURE: "时间误差超过0.5秒：请检查网络",
    PlayerTrouble.NOT_ALLOWED: "声音未启用：请在该设备上点一下屏幕",
    PlayerTrouble.ASLEEP: "屏幕可能熄灭：请关闭省电设置",
    PlayerTrouble.NO_OUTPUT: "没有声音输出：请检查声卡、音箱连接",
    PlayerTrouble.SILENT: "播放时没有声音输出：请检查该设备的音量",
    PlayerTrouble.AUDIO_MISSING: "声音还没有准备好：请检查网络",
}
_TROUBLES: Final = {str(trouble): words.replace("：", "，") for trouble, words in TROUBLE_WORDS.items()}
ACTS: Final[Mapping[Errand, str]] = {
    Errand.GIVE_SIGNAL: "立即到考室。考生没有听到的，摇手铃并当面宣布，同时按“刚刚已用手铃发出”，记下时间。",
    Errand.SAY_CALL: "立即到考室，当面宣读。",
    Errand.STOP_STATION: "请考评员宣布该工位停止操作，并在“延误登记”页面记录。",
    Errand.SAY_ALOUD: "请监考人员当面宣读。",
    Errand.NO_SOUND: "带手铃到考室，查看设备；到时间仍不能响铃的，摇手铃。",
    Errand.LOOK_AT_PLAYER: "顺路查看设备；现在仍能响铃。",
}


@dataclass(frozen=True, slots=True)
class ReasonWords:
    """What is wrong, what to do, and what is to be said aloud there (empty: nothing)."""

    what: str
    act: str
    aloud: str = ""


_WHAT: Final[Mapping[Errand, str]] = {
    Errand.GIVE_SIGNAL: "{title}：没有发出，或考室没有报告已播放",
    Errand.SAY_CALL: "{title}：考室没有报告已播放",
    Errand.STOP_STATION: "有工位的顺延时间已到，还没有停止",
    Errand.SAY_ALOUD: "{title}：没有播放",
    Errand.NO_SOUND: "没有能响铃的设备：{trouble}",
    Errand.LOOK_AT_PLAYER: "播放设备{trouble}",
}


def reason_words(reason: Reason, procedure: Procedure) -> ReasonWords:
    """The reason as people read it."""
    if reason.about == NO_PLAYER:
        return ReasonWords("没有播放设备，信号不会响", ACTS[reason.errand])
    cue = procedure.cue(reason.about)
    trouble = _TROUBLES.get(reason.about, "")
    what = _WHAT[reason.errand].format(title=cue.title if cue else "", trouble=trouble)
    return ReasonWords(what, ACTS[reason.errand], cue.text if cue else "")
