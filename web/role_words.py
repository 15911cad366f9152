"""Roles as the procedure calls them."""

from collections.abc import Mapping
from typing import Final

from web.access import Role

ROLE_WORDS: Final[Mapping[Role, str]] = {
    Role.PROCTOR: "监考人员",
    Role.ASSESSOR: "考评人员",
    Role.REVIEW_CHAIR: "评审组长",
    Role.RECORDER: "记录员",
    Role.EXAMS_OFFICER: "考务人员",
    Role.SITE_LEAD: "现场负责人",
    Role.INSPECTOR: "巡考人员",
    Role.QUALITY_SUPERVISOR: "内部质量督导人员",
    Role.SUPERVISOR: "复核人员",
    Role.ARCHIVIST: "档案管理员",
    Role.AUDITOR: "外部核验人",
    Role.ADMINISTRATOR: "系统管理员",
}
