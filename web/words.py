"""How pages speak: times as people at the site read them, roles in Chinese, refusals with advice."""

from http import HTTPStatus
from typing import Final

from flask import Flask
from flask_login import current_user

from evidence import overview
from exam.clock import SECOND_US, site_time
from web.access import Role, may, roles
from web.navigation import navigation_for
from web.role_words import ROLE_WORDS
from web.services import services

REFUSALS: Final = {
    400: ("请求不完整", "请返回上一页重试。"),
    401: ("请先登录", "登录已结束或尚未登录，请重新登录。"),
    403: ("无权查看", "您的账户没有这项权限。如需办理，请联系现场负责人或系统管理员。"),
    404: ("没有这个页面", "请检查地址，或返回首页。"),
    405: ("不能这样打开", "请从页面上的按钮进入。"),
    409: ("情况已变化", "请刷新页面，查看最新情况。"),
    413: ("文件过大", "请检查所选文件。"),
    429: ("尝试次数过多", "请稍候一分钟再试。"),
}
FALLBACK: Final = ("系统出现故障", "请稍后重试；如仍不行，请联系系统管理员。")


def refusal(code: int) -> tuple[str, str]:
    """What happened and what to do, for an HTTP status code."""
    return REFUSALS.get(code, FALLBACK if code >= HTTPStatus.INTERNAL_SERVER_ERROR else REFUSALS[400])


def clock_words(moment_us: int) -> str:
    """09:00:00"""
    return f"{site_time(moment_us):%H:%M:%S}"


def minute_words(moment_us: int) -> str:
    """09:00, for planned times."""
    return f"{site_time(moment_us):%H:%M}"


def date_words(moment_us: int) -> str:
    """2026年11月22日, without leading zeros."""
    moment = site_time(moment_us)
    return f"{moment.year}年{moment.month}月{moment.day}日"


def length_words(duration_us: int) -> str:
    """3秒, 1分1秒, 10小时40分, 399天; of either sign."""
    seconds = abs(duration_us) // SECOND_US
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days}天"
    if hours:
        return f"{hours}小时{minutes % 60}分"
    return f"{minutes}分{seconds % 60}秒" if minutes else f"{seconds}秒"


def role_words(role: str) -> str:
    """The role as the procedure calls it."""
    return ROLE_WORDS[Role(role)]


def install(app: Flask) -> None:
    """Give templates these words, and what the navigation needs."""
    app.jinja_env.filters.update(clock=clock_words, minute=minute_words, date=date_words, role=role_words)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True

    @app.context_processor
    def about() -> dict[str, object]:
        return {
            "visitor": current_user,
            "visitor_roles": roles(),
            "may": may,
            "now_us": services().clock.wall_us(),
            "site_name": _site_name(),
            "navigation": navigation_for(may),
        }


def _site_name() -> str:
    with services().exam.read() as connection:
        return overview.site_name(connection) or "考场"
